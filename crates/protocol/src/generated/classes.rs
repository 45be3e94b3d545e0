use crate::Class;
pub(crate) static CLASSES: &[(&str, Class)] = &[];

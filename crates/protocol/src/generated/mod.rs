pub(crate) mod classes;

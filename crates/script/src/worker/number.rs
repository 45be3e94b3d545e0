//! Numbers as JavaScript writes them.

use std::fmt::Write;

/// Appends `value` as `String(value)` would give it, except that minus zero keeps no sign in JavaScript
/// and so keeps none here. Finite values only are JSON.
pub(super) fn write(out: &mut String, value: f64) {
    // Writing to a String cannot fail.
    if value == 0.0 {
        out.push('0');
    } else if value.is_nan() {
        out.push_str("NaN");
    } else if value.is_infinite() {
        out.push_str(if value > 0.0 { "Infinity" } else { "-Infinity" });
    } else if (1e-6..1e21).contains(&value.abs()) {
        let _ = write!(out, "{value}");
    } else {
        let text = format!("{value:e}");
        match text.split_once('e') {
            Some((digits, exponent)) if !exponent.starts_with('-') => {
                let _ = write!(out, "{digits}e+{exponent}");
            }
            _ => out.push_str(&text),
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_read_as_in_javascript() {
        for (value, text) in [
            (0.1 + 0.2, "0.30000000000000004"),
            (1e21, "1e+21"),
            (1e20, "100000000000000000000"),
            (1.5e-7, "1.5e-7"),
            (0.000001, "0.000001"),
            (-0.0, "0"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
            (123_456_789.125, "123456789.125"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            let mut out = String::new();
            super::write(&mut out, value);
            assert_eq!(out, text);
        }
    }
}

//! Where a tab may be sent.

use crate::error::{ApiError, Code};

/// Completes what a person types to an address, and refuses what no session may open.
///
/// # Errors
/// The address is empty or malformed, or its scheme or host is not allowed.
pub(crate) fn address(typed: &str) -> Result<String, ApiError> {
    // Browsers drop these wherever they are, so "java\nscript:" must not get past us.
    let url: String = typed
        .trim_matches(|c: char| c <= ' ')
        .chars()
        .filter(|c| !matches!(c, '\t' | '\n' | '\r'))
        .collect();
    if url.is_empty() {
        return Err(ApiError::new(Code::Invalid, "the address is empty")
            .hint("keeptab open https://example.com"));
    }
    let url = match scheme(&url) {
        Some(_) => url,
        None if is_local(host(&url)) => format!("http://{url}"),
        None => format!("https://{url}"),
    };
    let scheme = scheme(&url).unwrap_or_default().to_ascii_lowercase();
    match scheme.as_str() {
        "http" | "https" => {
            let host = host(&url[scheme.len() + 1..]);
            if host.is_empty() {
                return Err(ApiError::new(Code::Invalid, format!("{url} names no host"))
                    .hint("keeptab open https://example.com"));
            }
            if is_metadata(host) {
                return Err(refused(
                    &url,
                    "it is the address of a cloud's metadata service",
                ));
            }
            Ok(url)
        }
        "data" => Ok(url),
        "about" if is_blank(&url) => Ok(format!("about:{}", &url["about:".len()..])),
        _ => Err(refused(
            &url,
            &format!("{scheme}: is not opened, only http: and https:"),
        )),
    }
}

/// Whether this is the blank page, perhaps with a fragment or a query behind it.
fn is_blank(url: &str) -> bool {
    const BLANK: &str = "about:blank";
    let head = url.get(..BLANK.len()).unwrap_or_default();
    let rest = url.get(BLANK.len()..).unwrap_or_default();
    head.eq_ignore_ascii_case(BLANK) && (rest.is_empty() || rest.starts_with(['#', '?']))
}

fn refused(url: &str, why: &str) -> ApiError {
    ApiError::new(Code::Refused, format!("{url} is refused: {why}"))
        .hint("serve the files over http on this machine, then: keeptab open http://localhost:PORT")
}

/// What stands before the colon, unless it is a host before its port.
fn scheme(url: &str) -> Option<&str> {
    let (before, after) = url.split_once(':')?;
    let first = before.chars().next()?;
    let word = first.is_ascii_alphabetic()
        && before
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    let port = after
        .split(['/', '\\', '?', '#'])
        .next()
        .unwrap_or_default();
    let is_port = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
    (word && !is_port).then_some(before)
}

/// The host of what follows the scheme, read as browsers do: a backslash is a slash, any number
/// of them may come first, and what stands before the last `@` is not the host.
fn host(rest: &str) -> &str {
    let rest = rest.trim_start_matches(['/', '\\']);
    let authority = rest.split(['/', '\\', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((inside, _)) => inside,
        None => host.split(':').next().unwrap_or_default(),
    }
}

fn is_local(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    host == "localhost" || host.ends_with(".localhost") || host == "::1" || ipv4(&host).is_some()
}

fn is_metadata(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let v6 = host.parse::<std::net::Ipv6Addr>().ok();
    host == "metadata.google.internal"
        || ipv4(&host).is_some_and(|ip| ip >> 16 == 0xa9fe)
        || v6.is_some_and(|ip| {
            ip.to_ipv4_mapped().is_some_and(|ip| ip.is_link_local())
                || ip == std::net::Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)
        })
}

/// An IPv4 address in any of the forms that browsers take: fewer parts, hexadecimal, octal.
fn ipv4(host: &str) -> Option<u32> {
    let parts: Vec<u64> = host
        .split('.')
        .map(|part| {
            if let Some(hex) = part.strip_prefix("0x") {
                if hex.is_empty() {
                    Some(0)
                } else {
                    u64::from_str_radix(hex, 16).ok()
                }
            } else if part.len() > 1 && part.starts_with('0') {
                u64::from_str_radix(part, 8).ok()
            } else {
                part.parse().ok()
            }
        })
        .collect::<Option<_>>()?;
    let (last, front) = parts.split_last()?;
    if front.len() > 3 || front.iter().any(|part| *part > 255) {
        return None;
    }
    let room = 8 * (4 - front.len() as u32);
    if *last >= 1_u64 << room {
        return None;
    }
    let front = front.iter().fold(0_u64, |sum, part| sum << 8 | part);
    u32::try_from(front << room | last).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_type_is_completed() {
        for (typed, url) in [
            ("https://example.com/x", "https://example.com/x"),
            ("example.com", "https://example.com"),
            (" example.com:8443/a ", "https://example.com:8443/a"),
            ("localhost:3000", "http://localhost:3000"),
            ("127.0.0.1:80/x", "http://127.0.0.1:80/x"),
            ("[::1]:80", "http://[::1]:80"),
            ("ABOUT:blank", "about:blank"),
            ("about:blank#Part", "about:blank#Part"),
            ("data:text/html,hi", "data:text/html,hi"),
        ] {
            assert_eq!(address(typed).unwrap(), url, "{typed}");
        }
    }

    #[test]
    fn what_reaches_beyond_the_web_is_refused() {
        for typed in [
            "file:///etc/passwd",
            "FILE:/etc/passwd",
            "fi\nle:///etc/passwd",
            "chrome://settings",
            "devtools://devtools/x",
            "javascript:alert(1)",
            "java\tscript:alert(1)",
            "about:config",
            "view-source:https://example.com",
            "blob:https://example.com/1",
            "http://169.254.169.254/latest",
            "http://2852039166/",
            "http://0xa9fea9fe/",
            "http://0251.0376.0251.0376",
            "http://user@169.254.169.254/",
            "http:\\\\169.254.169.254\\@example.com",
            "http://[fd00:ec2::254]/",
            "http://[::ffff:169.254.169.254]/",
            "http://Metadata.Google.Internal./",
            "169.254.169.254",
        ] {
            let error = address(typed).unwrap_err();
            assert_eq!(error.code, Code::Refused, "{typed}: {error}");
        }
    }

    #[test]
    fn an_address_without_a_host_is_a_mistake() {
        for typed in ["", "  ", "http://", "https:///"] {
            assert_eq!(address(typed).unwrap_err().code, Code::Invalid, "{typed:?}");
        }
    }
}

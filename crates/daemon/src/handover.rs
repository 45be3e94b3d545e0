//! What a daemon leaves of a session to the next one, and how it stands in the store.
//!
//! It is written at every change, not at the end: a daemon that is killed leaves as much as one
//! that is stopped.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use data_encoding::BASE64;
use keeptab_store::{OnBrowserDeath, OnCrash, Session as Row, Tab};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::api::{self, Policies, Recording};
use crate::seal::Seal;

/// The form in which this build writes records. A reader refuses a higher number; fields are only ever
/// added with a default, and a change of meaning takes the next number.
const FORMAT: u64 = 1;

/// One session as the next daemon needs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) name: String,
    /// Seconds since 1970.
    pub(crate) created: u64,
    pub(crate) place: Place,
    /// The profile of a browser that we launched.
    #[serde(default)]
    pub(crate) profile: Option<PathBuf>,
    #[serde(default)]
    pub(crate) active: Option<ActiveTab>,
    /// The target ids of tabs that no other session may see.
    #[serde(default)]
    pub(crate) claimed: Vec<String>,
    /// Our fencing number at the keeper of its browser.
    #[serde(default)]
    pub(crate) owner: u64,
    /// What is recorded.
    #[serde(default)]
    pub(crate) recording: Recording,
    /// What it does by itself.
    #[serde(default)]
    pub(crate) policies: Policies,
    /// How its browser is started again.
    #[serde(default)]
    pub(crate) launched_as: LaunchedAs,
    /// The session under whose name the keeper of its browser was started, when that is another one.
    #[serde(default)]
    pub(crate) keeper: Option<String>,
    /// Tabs that ended with a browser, and those that were opened in their place.
    #[serde(default)]
    pub(crate) replaced: BTreeMap<String, String>,
}

/// How a browser was launched.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct LaunchedAs {
    /// With a window.
    #[serde(default)]
    pub(crate) headful: bool,
    /// The program that was asked for.
    #[serde(default)]
    pub(crate) program: Option<String>,
}

/// The tab that commands go to, with what people know it by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ActiveTab {
    pub(crate) id: String,
    pub(crate) url: String,
    pub(crate) title: String,
}

/// Where the browser of a session is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Place {
    /// A WebSocket address.
    Ws(String),
    /// A debugging port.
    Port { host: String, port: u16 },
    /// A profile directory of a running browser.
    Profile(PathBuf),
    /// The socket of a keeper process.
    Keeper(PathBuf),
    /// A pipe that ends with the daemon that held it.
    Pipe,
}

/// The fencing number of whoever owns a browser after the one with this number: always higher, also
/// after the clock was set back, and as a rule higher than that of anyone whose record was lost.
pub(crate) fn next_owner(last: u64) -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis())
        .unwrap_or(u64::MAX)
        .max(last.saturating_add(1))
}

/// The record as the store takes it. Addresses that may hold a key are sealed: the browser's, and the active tab's.
///
/// # Errors
/// It cannot be sealed.
pub(crate) fn to_row(record: &Record, updated: SystemTime, seal: &Seal) -> io::Result<Row> {
    let mut text = json!(record);
    let mut sealed = None;
    if let (Place::Ws(_), Some(fields)) = (&record.place, text.as_object_mut()) {
        sealed = fields
            .remove("place")
            .map(|place| seal.seal(&record.name, place.to_string().as_bytes()))
            .transpose()?;
    }
    if let (Some(active), Some(fields)) = (&record.active, text.as_object_mut()) {
        let active = seal_text(seal, &record.name, &json!(active).to_string())?;
        fields.remove("active");
        fields.insert(SEALED_TAB.into(), active.into());
    }
    text["format"] = Value::from(FORMAT);
    Ok(Row {
        name: record.name.clone(),
        endpoint: text.to_string(),
        sealed,
        keeper: match &record.place {
            Place::Keeper(socket) => Some(socket.display().to_string()),
            _ => None,
        },
        on_crash: match record.policies.on_crash {
            api::OnCrash::Report => OnCrash::Report,
            api::OnCrash::Reload => OnCrash::Reload,
        },
        on_browser_death: match record.policies.on_browser_death {
            api::OnBrowserDeath::Fail => OnBrowserDeath::Fail,
            api::OnBrowserDeath::Relaunch => OnBrowserDeath::Relaunch,
        },
        active_target: record.active.as_ref().map(|tab| tab.id.clone()),
        created: UNIX_EPOCH + Duration::from_secs(record.created),
        updated,
        ended: None,
    })
}

/// Reads what [`to_row`] made.
///
/// # Errors
/// It is damaged, sealed with another key, or of a newer build.
pub(crate) fn from_row(row: &Row, seal: &Seal) -> Result<Record, String> {
    let mut text: Value = serde_json::from_str(&row.endpoint).map_err(|error| error.to_string())?;
    let format = text.get("format").and_then(Value::as_u64).unwrap_or(0);
    if format > FORMAT {
        return Err(format!(
            "it is of format {format}, this build knows {FORMAT}"
        ));
    }
    if let Some(sealed) = &row.sealed {
        let place = seal
            .open(&row.name, sealed)
            .map_err(|error| error.to_string())?;
        text["place"] = serde_json::from_slice(&place).map_err(|error| error.to_string())?;
    }
    let active = text.as_object_mut().and_then(|it| it.remove(SEALED_TAB));
    if let Some(active) = active.as_ref().and_then(Value::as_str) {
        // Without its key, nobody knows which tab was the active one; the session is still there.
        text["active"] = open_text(seal, &row.name, active).unwrap_or_default();
    }
    serde_json::from_value(text).map_err(|error| error.to_string())
}

/// The field of the active tab, sealed.
const SEALED_TAB: &str = "active_sealed";

/// A tab as the store takes it: what the address of a page may hold is not for who copies the store.
///
/// # Errors
/// It cannot be sealed.
pub(crate) fn to_tab_row(tab: &Tab, seal: &Seal) -> io::Result<Tab> {
    Ok(Tab {
        url: seal_text(seal, &tab.session, &tab.url)?,
        title: seal_text(seal, &tab.session, &tab.title)?,
        ..tab.clone()
    })
}

fn seal_text(seal: &Seal, name: &str, text: &str) -> io::Result<String> {
    Ok(BASE64.encode(&seal.seal(name, text.as_bytes())?))
}

fn open_text(seal: &Seal, name: &str, sealed: &str) -> Option<Value> {
    let sealed = BASE64.decode(sealed.as_bytes()).ok()?;
    serde_json::from_slice(&seal.open(name, &sealed).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(place: Place) -> Record {
        Record {
            name: "work".into(),
            created: 5,
            place,
            profile: None,
            active: Some(ActiveTab {
                id: "T1".into(),
                url: "u".into(),
                title: "t".into(),
            }),
            claimed: vec!["T1".into()],
            owner: 7,
            recording: Recording::default(),
            policies: Policies::default(),
            launched_as: LaunchedAs::default(),
            keeper: None,
            replaced: BTreeMap::new(),
        }
    }

    fn seal() -> Seal {
        let dir = tempfile::tempdir().unwrap();
        Seal::load(dir.path()).unwrap()
    }

    #[test]
    fn what_is_written_comes_back() {
        let seal = seal();
        for place in [
            Place::Ws("ws://h/devtools/browser/1".into()),
            Place::Port {
                host: "127.0.0.1".into(),
                port: 1,
            },
            Place::Profile("/p".into()),
            Place::Keeper("/k".into()),
            Place::Pipe,
        ] {
            let record = record(place);
            let row = to_row(&record, UNIX_EPOCH, &seal).unwrap();
            assert_eq!(from_row(&row, &seal), Ok(record));
        }
    }

    #[test]
    fn a_key_in_an_address_is_sealed() {
        let address = Place::Ws("wss://h/?token=secret".into());
        let row = to_row(&record(address), UNIX_EPOCH, &seal()).unwrap();
        assert!(!row.endpoint.contains("secret"));
        let sealed = row.sealed.clone().unwrap();
        assert!(!sealed.windows(6).any(|part| part == b"secret"));
        // The store alone, without its key.
        assert!(from_row(&row, &seal()).is_err_and(|error| error.contains("another key")));
    }

    #[test]
    fn what_a_page_s_address_holds_is_sealed() {
        let (seal, mut record) = (seal(), record(Place::Pipe));
        if let Some(active) = &mut record.active {
            active.url = "http://ada:secret@h/?token=secret".into();
        }
        let row = to_row(&record, UNIX_EPOCH, &seal).unwrap();
        assert!(!row.endpoint.contains("secret"), "{}", row.endpoint);
        assert_eq!(from_row(&row, &seal).unwrap().active, record.active);
        // With another key the session is still there.
        let without = from_row(&row, &self::seal()).unwrap();
        assert_eq!((without.active, without.name), (None, record.name));
        let tab = Tab {
            session: "work".into(),
            target_id: "T1".into(),
            url: "http://h/?token=secret".into(),
            title: "secret".into(),
            opener: None,
            position: 0,
        };
        let row = to_tab_row(&tab, &seal).unwrap();
        assert!(!format!("{row:?}").contains("secret"), "{row:?}");
    }

    #[test]
    fn a_newer_format_is_refused() {
        let seal = seal();
        let mut row = to_row(&record(Place::Pipe), UNIX_EPOCH, &seal).unwrap();
        row.endpoint = row.endpoint.replace(r#""format":1"#, r#""format":99"#);
        assert!(from_row(&row, &seal).is_err_and(|error| error.contains("99")));
    }

    #[test]
    fn an_owner_always_has_a_higher_number_than_the_one_before() {
        let first = next_owner(0);
        assert!(next_owner(first) > first);
        assert_eq!(next_owner(u64::MAX - 1), u64::MAX);
    }
}

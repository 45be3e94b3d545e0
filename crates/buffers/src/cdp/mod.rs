//! The parts of CDP events that are kept, borrowed from the event's text.
//!
//! These are read for every event of every page, so they take only what is
//! needed and copy nothing.

mod common;
mod console;
mod network;

pub(crate) use common::{Headers, Position};
pub(crate) use console::{ConsoleApiCalled, EntryAdded, ExceptionThrown, Preview, RemoteObject};
pub(crate) use network::{
    DataReceived, ExtraInfo, FrameNavigated, Initiator, LoadingFailed, LoadingFinished, OnlyId,
    RequestWillBeSent, ResourceTiming, Response, ResponseReceived, WebSocketCreated,
    WebSocketFrame, WebSocketHandshake, WebSocketHandshakeRequest,
};

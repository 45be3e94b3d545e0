//! One call, from parameters to result.
use std::sync::Arc;

use keeptab_link::{Epoch, Route, Submit, Token};
use keeptab_protocol::{Command, Raw};

use crate::driver::Shared;
use crate::{CallError, CallOptions};

/// What the browser answered.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Reply {
    /// The `result` member, as it came.
    pub raw: Raw,
    /// The connection over which it came.
    pub epoch: Epoch,
}

pub(crate) async fn typed<C: Command>(
    shared: &Arc<Shared>,
    route: Route,
    command: &C,
    options: CallOptions,
) -> Result<C::Returns, CallError> {
    let params = Raw::of(command).map_err(|error| CallError::encode(C::METHOD, error))?;
    let reply = raw(shared, route, C::METHOD, params, options).await?;
    reply
        .raw
        .parse()
        .map_err(|error| CallError::decode(C::METHOD, error))
}

pub(crate) async fn raw(
    shared: &Arc<Shared>,
    route: Route,
    method: &str,
    params: Raw,
    options: CallOptions,
) -> Result<Reply, CallError> {
    let submitted = shared.lock().submit(|token| {
        let known = Submit::by_name(token, route, method, params);
        Submit {
            timeout: options.timeout,
            class: options.class.or(known.class),
            standing: options.standing,
            ..known
        }
    });
    let (token, settled) = submitted.ok_or_else(|| CallError::closed(method))?;
    let mut waiting = Waiting {
        shared,
        token: Some(token),
    };
    let settled = settled.await;
    waiting.token = None;
    // The sender is only dropped unused when the session ends under us.
    let settled = settled.map_err(|_| CallError::closed(method))?;
    let raw = CallError::from_settlement(method, settled.settlement)?;
    Ok(Reply {
        raw,
        epoch: settled.epoch,
    })
}

/// Takes the command back when the caller goes away.
struct Waiting<'a> {
    shared: &'a Arc<Shared>,
    token: Option<Token>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(token) = self.token {
            self.shared.lock().cancel(token);
        }
    }
}

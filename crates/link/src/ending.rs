//! How commands end: once, and told to whoever still waits.
use std::time::Instant;

use crate::link::Link;
use crate::pending::{Wait, Who};
use crate::table::{Cmd, Key, Sent};
use crate::{Cause, NotSent, Output, Settlement, TargetId, Token, UnknownOutcome};

impl Link {
    /// Ends a command. Whoever comes second finds nothing to end.
    pub(crate) fn settle(&mut self, key: Key, settlement: Settlement) {
        if let Some(cmd) = self.table.take(key) {
            self.tell(&cmd, settlement);
        }
    }

    pub(crate) fn tell(&mut self, cmd: &Cmd, settlement: Settlement) {
        if let Some(token) = cmd.owner {
            let epoch = cmd.sent.map_or(self.epoch, |sent| sent.epoch);
            self.out.push_back(Output::Settle {
                token,
                settlement,
                epoch,
            });
        }
    }

    pub(crate) fn expire_commands(&mut self, now: Instant) {
        while let Some(key) = self.table.due(now) {
            let Some(cmd) = self.table.get(key) else {
                break;
            };
            let settlement = Settlement::Deadline {
                sent: cmd.was_sent(),
            };
            if let Some(token) = self.abandon(key) {
                let epoch = self.epoch;
                self.out.push_back(Output::Settle {
                    token,
                    settlement,
                    epoch,
                });
            }
        }
    }

    /// Nobody waits for a command any more. Its answer, if one comes, is still heard: it may have
    /// set something.
    pub(crate) fn abandon(&mut self, key: Key) -> Option<Token> {
        let cmd = self.table.get(key)?;
        match cmd.sent {
            Some(Sent { id, .. }) if !cmd.is_parked() => {
                let token = self.table.disown(key);
                if let Some(forgotten) = self.pending.unwanted(id, key) {
                    self.table.take(forgotten);
                }
                token
            }
            _ => {
                let cmd = self.table.take(key)?;
                if cmd.was_sent() {
                    self.presume_set(&cmd, key);
                }
                cmd.owner
            }
        }
    }

    /// A setting whose answer was lost counts as made: it is set again, which does no harm.
    pub(crate) fn presume_set(&mut self, cmd: &Cmd, key: Key) {
        if cmd.sticky {
            self.revision += 1;
            self.ledger_mut(cmd.target.as_ref()).done(
                &cmd.method,
                &cmd.params,
                cmd.class,
                key.seq,
                None,
            );
        }
    }

    /// Ends everything that is in flight to a target, as long as it was sent before `until`.
    pub(crate) fn settle_in_flight(
        &mut self,
        id: &TargetId,
        until: Option<Instant>,
        end: impl Fn(&Cmd) -> Option<Settlement>,
    ) {
        let of_target = |cmd: &Cmd| {
            cmd.target.as_ref() == Some(id)
                && cmd
                    .sent
                    .is_some_and(|sent| until.is_none_or(|until| sent.at <= until))
        };
        let table = &self.table;
        let ids = self
            .pending
            .ids(|wait| matches!(wait.who, Who::Cmd(key) if table.get(key).is_some_and(of_target)));
        for wire_id in ids {
            let Some(Wait {
                who: Who::Cmd(key), ..
            }) = self.pending.peek(wire_id)
            else {
                continue;
            };
            let key = *key;
            let Some(settlement) = self.table.get(key).and_then(&end) else {
                continue;
            };
            // The answer may still come; it must be known as late, and not as unknown.
            let epoch = self
                .table
                .get(key)
                .and_then(|cmd| cmd.sent)
                .map_or(self.epoch, |sent| sent.epoch);
            if let Some(token) = self.abandon(key) {
                self.out.push_back(Output::Settle {
                    token,
                    settlement,
                    epoch,
                });
            }
        }
    }

    /// Ends what waits for a target.
    pub(crate) fn settle_queue(
        &mut self,
        id: &TargetId,
        mut end: impl FnMut(&Cmd) -> Option<Settlement>,
    ) {
        let Some(target) = self.targets.get_mut(id) else {
            return;
        };
        for key in std::mem::take(&mut target.queue) {
            match self.table.get(key).map(&mut end) {
                Some(Some(settlement)) => self.settle(key, settlement),
                Some(None) => {
                    if let Some(target) = self.targets.get_mut(id) {
                        target.queue.push_back(key);
                    }
                }
                None => {}
            }
        }
    }

    /// Ends every command there is.
    pub(crate) fn settle_all(&mut self, cause: &Cause, unsent: &NotSent) -> Vec<UnknownOutcome> {
        let mut unknown = Vec::new();
        self.pending.drain();
        let mut keys: Vec<Key> = self.table.keys().collect();
        keys.sort_unstable();
        for key in keys {
            let Some(cmd) = self.table.take(key) else {
                continue;
            };
            let settlement = if cmd.was_sent() {
                self.presume_set(&cmd, key);
                unknown.push(UnknownOutcome::of(&cmd));
                Settlement::OutcomeUnknown {
                    cause: cause.clone(),
                }
            } else {
                Settlement::NotSent(unsent.clone())
            };
            self.tell(&cmd, settlement);
        }
        self.browser.queue.clear();
        for id in self.targets.ids() {
            if let Some(target) = self.targets.get_mut(&id) {
                target.queue.clear();
            }
        }
        unknown
    }
}

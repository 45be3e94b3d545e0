//! Which documents a target shows, and which of them began while nobody looked.
use std::collections::HashMap;

use keeptab_protocol::Raw;
use serde::Deserialize;

use crate::link::Link;
use crate::target_events::Frame;
use crate::{BornDocument, Str, TargetId};

/// Frames whose document is remembered.
const FRAMES: usize = 512;

impl Link {
    /// Compares the documents that are there with those that were there.
    pub(crate) fn compare_documents(&mut self, id: &TargetId, body: &Raw) {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Answer {
            frame_tree: Tree,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Tree {
            frame: Frame,
            #[serde(default)]
            child_frames: Vec<Tree>,
        }
        let (Ok(answer), Some(target)) = (body.parse::<Answer>(), self.targets.get_mut(id)) else {
            return;
        };
        let mut now_there = HashMap::new();
        let mut born = Vec::new();
        let mut open = vec![answer.frame_tree];
        while let Some(Tree {
            frame,
            child_frames,
        }) = open.pop()
        {
            open.extend(child_frames);
            if now_there.len() >= FRAMES {
                break;
            }
            let (name, loader) = (Str::from(frame.id), Str::from(frame.loader_id));
            if target.documents.get(&name) != Some(&loader) {
                born.push(BornDocument {
                    target: id.clone(),
                    frame: name.clone(),
                    url: frame.url.into(),
                });
            }
            now_there.insert(name, loader);
        }
        target.documents = now_there;
        let adopted = self
            .recovery
            .as_ref()
            .is_some_and(|recovery| recovery.gap.handover.is_some());
        // Init scripts stayed in force.
        let matters = target.ledger.has_init_scripts() && !adopted;
        if let (Some(recovery), false) = (&mut self.recovery, born.is_empty()) {
            if born.iter().any(|document| document.frame == id.as_str()) {
                recovery.navigated.insert(id.clone());
            }
            if matters {
                recovery.gap.without_init_scripts.extend(born);
            }
        }
    }
}

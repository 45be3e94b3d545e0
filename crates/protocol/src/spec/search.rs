//! Finding things by what they do.
use super::lookup::{domain, domain_names};
use super::nearest::NameKind;

/// Something that a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// What it is.
    pub kind: NameKind,
    /// Full name.
    pub name: String,
    /// The first sentence about it; may be empty.
    pub summary: String,
    /// How well it fits; only good for comparing.
    pub score: u32,
}

/// Finds domains, commands, events and types by words from their names and docs, best first.
/// Every word must occur; a word may be the beginning or the middle of a longer one.
pub fn search(query: &str, limit: usize) -> Vec<Hit> {
    let words: Vec<String> = query
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    if words.is_empty() {
        return Vec::new();
    }
    let mut hits = Vec::new();
    let mut offer = |kind, name: String, description: &str, penalty: u32| {
        if let Some(score) = score(&words, &name, description) {
            let score = score.saturating_sub(penalty);
            hits.push(Hit {
                kind,
                name,
                summary: first_sentence(description),
                score,
            });
        }
    };
    for name in domain_names() {
        let Some(domain) = domain(name) else { continue };
        offer(NameKind::Domain, (*name).to_owned(), &domain.description, 0);
        for c in &domain.commands {
            offer(
                NameKind::Method,
                format!("{name}.{}", c.name),
                &c.description,
                penalty(c.deprecated, 0),
            );
        }
        for e in &domain.events {
            offer(
                NameKind::Event,
                format!("{name}.{}", e.name),
                &e.description,
                penalty(e.deprecated, 10),
            );
        }
        for t in &domain.types {
            offer(
                NameKind::Type,
                format!("{name}.{}", t.name),
                &t.description,
                penalty(t.deprecated, 25),
            );
        }
    }
    hits.sort_by(|a, b| b.score.cmp(&a.score).then_with(|| a.name.cmp(&b.name)));
    hits.truncate(limit);
    hits
}

fn penalty(deprecated: bool, kind: u32) -> u32 {
    kind + if deprecated { 15 } else { 0 }
}

/// `None` when a word is missing.
fn score(words: &[String], name: &str, description: &str) -> Option<u32> {
    let lower = name.to_lowercase();
    let text = description.to_lowercase();
    let last = lower.rsplit('.').next().unwrap_or(&lower);
    let mut total: u32 = 0;
    for word in words {
        total += if last == word {
            60
        } else if last.starts_with(word.as_str()) {
            45
        } else if last.ends_with(word.as_str()) {
            42
        } else if lower.contains(word.as_str()) {
            35
        } else if has_word(&text, word) {
            20
        } else if text.contains(word.as_str()) {
            10
        } else {
            return None;
        };
    }
    // Of two that fit, the shorter name is more likely meant.
    Some(total.saturating_sub(u32::try_from(name.len() / 8).unwrap_or(0)))
}

fn has_word(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric())
        .any(|w| w == word)
}

/// The beginning of a description, on one line.
pub(super) fn first_sentence(description: &str) -> String {
    let line = description.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.find(". ") {
        Some(end) => line[..=end].to_owned(),
        None => line,
    }
}

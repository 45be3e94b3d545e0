//! What the pages of a session said and asked for: console and network entries.

//! With Chromium.

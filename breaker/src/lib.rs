//! **whether to call at all**: the place of this crate in the workspace; nothing is in it yet.
#![no_std]

//! The book's chapters and the pages at the top of the folders, compiled: each piece of code in them is a test.

/// What is on the front page, and on those of the crates.
#[cfg(doctest)]
mod readme {
    #[doc = include_str!("../../README.md")]
    struct Workspace;
    #[doc = include_str!("../../backoff/README.md")]
    struct Backoff;
    #[doc = include_str!("../../budget/README.md")]
    struct Budget;
    #[doc = include_str!("../../breaker/README.md")]
    struct Breaker;
    #[doc = include_str!("../../hedging/README.md")]
    struct Hedging;
}

/// The chapters, in the order of the summary.
#[cfg(doctest)]
mod book {
    #[doc = include_str!("../book/src/introduction.md")]
    struct Introduction;
    #[doc = include_str!("../book/src/backoff.md")]
    struct Backoff;
    #[doc = include_str!("../book/src/budget.md")]
    struct Budget;
    #[doc = include_str!("../book/src/breaker.md")]
    struct Breaker;
    #[doc = include_str!("../book/src/hedging.md")]
    struct Hedging;
    #[doc = include_str!("../book/src/stack.md")]
    struct Stack;
    #[doc = include_str!("../book/src/clients.md")]
    struct Clients;
    #[doc = include_str!("../book/src/metrics.md")]
    struct Metrics;
    #[doc = include_str!("../book/src/playbook.md")]
    struct Playbook;
    #[doc = include_str!("../book/src/verified.md")]
    struct Verified;
    #[doc = include_str!("../book/src/architecture.md")]
    struct Architecture;
    #[doc = include_str!("../book/src/contributing.md")]
    struct Contributing;
}

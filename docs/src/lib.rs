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

/// The chapters, in the order of the summary. Each is documented by the module of its name: that is where the site finds where
/// rustdoc has resolved its links to.
#[cfg(any(doc, doctest))]
pub mod book {
    #[doc = include_str!("../book/src/failures.md")]
    pub mod failures {}
    #[doc = include_str!("../book/src/introduction.md")]
    pub mod introduction {}
    #[doc = include_str!("../book/src/backoff.md")]
    pub mod backoff {}
    #[doc = include_str!("../book/src/budget.md")]
    pub mod budget {}
    #[doc = include_str!("../book/src/breaker.md")]
    pub mod breaker {}
    #[doc = include_str!("../book/src/hedging.md")]
    pub mod hedging {}
    #[doc = include_str!("../book/src/stack.md")]
    pub mod stack {}
    #[doc = include_str!("../book/src/runtimes.md")]
    pub mod runtimes {}
    #[doc = include_str!("../book/src/clients.md")]
    pub mod clients {}
    #[doc = include_str!("../book/src/testing.md")]
    pub mod testing {}
    #[doc = include_str!("../book/src/moving.md")]
    pub mod moving {}
    #[doc = include_str!("../book/src/metrics.md")]
    pub mod metrics {}
    #[doc = include_str!("../book/src/playbook.md")]
    pub mod playbook {}
    #[doc = include_str!("../book/src/plan.md")]
    pub mod plan {}
    #[doc = include_str!("../book/src/experiments.md")]
    pub mod experiments {}
    #[doc = include_str!("../book/src/performance.md")]
    pub mod performance {}
    #[doc = include_str!("../book/src/verified.md")]
    pub mod verified {}
    #[doc = include_str!("../book/src/compared.md")]
    pub mod compared {}
    #[doc = include_str!("../book/src/api.md")]
    pub mod api {}
    #[doc = include_str!("../book/src/architecture.md")]
    pub mod architecture {}
    #[doc = include_str!("../book/src/contributing.md")]
    pub mod contributing {}
}

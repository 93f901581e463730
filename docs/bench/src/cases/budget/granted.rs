//! Requests whose retry is granted.

use std::{
    hint::black_box,
    sync::{
        Mutex,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Instant,
};

use evenkeel_budget::{Account, AnyBudget, Budget, Cause, Costs, InFlightBudget, RatioBudget, TokenBudget, Unlimited};
use tower::retry::budget::Budget as _;

use super::{AREA, ONE, retry, retry_with_tower, succeed, succeed_late, tower, with_room};
use crate::measure::{Bench, Candidate};

pub(super) fn run(bench: &mut Bench) {
    pairs(bench);
    successes(bench);
    retries(bench);
}

/// What earns a retry, and the retry: of a ratio both are in one request, of tokens in two.
fn pairs(bench: &mut Bench) {
    let start = Instant::now();
    let towers = tower();
    let clocked = || RatioBudget::builder().ratio(1.0).build().expect("valid");
    let still = || RatioBudget::builder().ratio(1.0).clock(move || start).build().expect("valid");
    let with_refund = || {
        let budget = still();
        drop(Budget::open(&&budget).withdraw(Cause::Transient));
        budget
    };
    let (ratio, standing, refunded) = (clocked(), still(), with_refund());
    let tokens = with_room();
    let by_grpc = || TokenBudget::grpc(1000.0, 1.0).expect("valid");
    let grpc = by_grpc();
    let two = AtomicU32::new(0);
    let locked = Mutex::new(0_u32);
    bench.compare(
        AREA,
        "a deposit and a withdrawal",
        vec![
            Candidate::new("`TokenBudget`, AWS: a request that succeeds, one that retries", || {
                succeed(&&tokens);
                assert!(retry(&&tokens));
            })
            .keeps(with_room),
            Candidate::new("the same, with accounts that own a handle", || {
                succeed(&tokens);
                assert!(retry(&tokens));
            })
            .keeps(with_room),
            Candidate::new("`TokenBudget`, gRPC: the same", || {
                succeed(&&grpc);
                assert!(retry(&&grpc));
            })
            .keeps(by_grpc),
            Candidate::new("`RatioBudget`, with the clock: a request that retries", || assert!(retry(&&ratio)))
                .keeps(clocked),
            Candidate::new("the same, with an account that owns a handle, with the clock", || assert!(retry(&ratio)))
                .keeps(clocked),
            Candidate::new("`RatioBudget`, `deposit` and `try_withdraw`: the clock read twice", || {
                ratio.deposit();
                assert!(ratio.try_withdraw().is_ok());
            })
            .keeps(clocked),
            Candidate::new("`RatioBudget`, its clock stands: a request that retries", || assert!(retry(&&standing)))
                .keeps(still),
            Candidate::new("the same, with a refund in its window", || assert!(retry(&&refunded))).keeps(with_refund),
            Candidate::new("tower `TpsBudget`", || assert!(retry_with_tower(&towers))).keeps(tower),
            Candidate::new("by hand: two atomic read-modify-writes", || {
                two.fetch_add(1, Ordering::Relaxed) + two.fetch_sub(1, Ordering::Relaxed)
            })
            .keeps(AtomicU32::default),
            Candidate::new("by hand: a counter behind a lock, twice", || {
                *black_box(&locked).lock().expect("nobody panics with it") += 1;
                *black_box(&locked).lock().expect("nobody panics with it") -= 1;
            })
            .keeps(Mutex::<u32>::default),
            Candidate::new("the clock alone", Instant::now),
        ],
    );
}

/// What nearly every request is.
fn successes(bench: &mut Bench) {
    let ratio = RatioBudget::default();
    let in_flight = InFlightBudget::default();
    let full = TokenBudget::default();
    // Room for a thousand million successes.
    let roomy = || {
        let budget = TokenBudget::new(1 << 30, Costs { transient: 1 << 20, ..ONE });
        (0..1_000).for_each(|_| assert!(retry(&&budget)));
        budget
    };
    let of_tokens = || AnyBudget::from(TokenBudget::default());
    let (room, any, towers) = (roomy(), of_tokens(), tower());
    let word = AtomicU64::new(0);
    bench.compare(
        AREA,
        "a success",
        vec![
            Candidate::new("`TokenBudget`, into a full bucket", || succeed(&&full)).keeps(TokenBudget::default),
            Candidate::new("the same, with an account that owns a handle", || succeed(&full))
                .keeps(TokenBudget::default),
            Candidate::new("the same, with an account that is opened late", || succeed_late(&full))
                .keeps(TokenBudget::default),
            Candidate::new("`TokenBudget`, into one with room", || succeed(&&room)).keeps(roomy),
            Candidate::new("`AnyBudget` of a full `TokenBudget`", || succeed(&&any)).keeps(of_tokens),
            Candidate::new("`AnyBudget`, with an account that is opened late", || succeed_late(&any)).keeps(of_tokens),
            Candidate::new("`InFlightBudget`", || succeed(&&in_flight)).keeps(InFlightBudget::default),
            Candidate::new("`RatioBudget`, with the clock", || succeed(&&ratio))
                .keeps(RatioBudget::<fn() -> Instant>::default),
            Candidate::new("`Unlimited`", || succeed(&Unlimited)).keeps(|| Unlimited),
            Candidate::new("tower `TpsBudget`, a deposit", || towers.deposit()).keeps(tower),
            Candidate::new("by hand: one atomic read-modify-write", || word.fetch_add(1, Ordering::Relaxed))
                .keeps(AtomicU64::default),
        ],
    );
}

/// With those that earn nothing by a success, or are made of others.
fn retries(bench: &mut Bench) {
    let in_flight = InFlightBudget::default();
    let of_tokens = || AnyBudget::from(with_room());
    let both = || (with_room(), RatioBudget::builder().ratio(1.0).build().expect("valid"));
    let (any, pair) = (of_tokens(), both());
    let word = AtomicU64::new(0);
    bench.compare(
        AREA,
        "a request that retries",
        vec![
            Candidate::new("`InFlightBudget`", || assert!(retry(&&in_flight))).keeps(InFlightBudget::default),
            Candidate::new("`Unlimited`", || assert!(retry(&Unlimited))).keeps(|| Unlimited),
            Candidate::new("`AnyBudget` of a `TokenBudget`, and a success", || {
                succeed(&any);
                assert!(retry(&any));
            })
            .keeps(of_tokens),
            Candidate::new("`(TokenBudget, RatioBudget)`, with the clock, and a success", || {
                succeed(&(&pair.0, &pair.1));
                assert!(retry(&(&pair.0, &pair.1)));
            })
            .keeps(both),
            Candidate::new("by hand: four atomic read-modify-writes", || {
                for _ in 0..4 {
                    word.fetch_add(1, Ordering::Relaxed);
                }
            })
            .keeps(AtomicU64::default),
        ],
    );
}

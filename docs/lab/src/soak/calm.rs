//! The calm at the end: all services are well, and time and successes alone must lead back to where it began.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use evenkeel_backoff::Retry;
use evenkeel_breaker::{State, Verdict};
use tokio::time::timeout;

use super::{
    Plan,
    clock::Time,
    load::Load,
    report::{Rule, Violation},
    weather,
    world::{Guard, LONGEST_OPEN, World},
};

/// Calls that succeed until a breaker is closed, with its open time between two of them: more than any has probes.
const CALLS: u32 = 8;

/// What is not back where it began.
pub(super) async fn recovers<K: Time>(load: &Arc<Load<K>>, plan: &Plan) -> Vec<Violation> {
    let world = &*load.world;
    weather::unforce(world);
    if let Some(sabotage) = plan.sabotage {
        sabotage.in_the_calm(world);
    }
    let mut found = Vec::new();
    world.clock.past_all(LONGEST_OPEN);
    requests(load, plan.patience, &mut found).await;
    for (name, breaker) in world.breakers() {
        closes(world, name, breaker, &mut found).await;
    }
    for (name, map) in world.maps() {
        for (key, _) in map.snapshots() {
            if let Some(breaker) = map.get(&key) {
                closes(world, &format!("{name}, key {key}"), &breaker, &mut found).await;
            }
        }
    }
    fills(world, &mut found).await;
    let (clock, window) = (&world.clock, world.throttle.window());
    clock.past_all(2 * window);
    let throttled = world.throttle.snapshot().rejection_probability;
    if throttled > 0.0 {
        found.push(wrong(format!("the throttle still rejects with a probability of {throttled}")));
    }
    found
}

/// When nothing can go wrong, each way answers, once the clock is past what it had seen.
async fn requests<K: Time>(load: &Arc<Load<K>>, patience: Duration, found: &mut Vec<Violation>) {
    load.world.is_draining.store(true, Ordering::SeqCst);
    for way in &load.ways {
        let mut answers = 0;
        // The throttle and the ramps let a share through at first.
        for _ in 0..40 {
            load.world.clock.ahead(Duration::from_millis(200));
            let request = load.world.request();
            let id = request.id;
            match timeout(patience, (way.send)(request)).await {
                Ok(answer) => answers += u32::from(answer == Some(id)),
                Err(_) => {
                    found.push(Violation { rule: Rule::Stuck, why: format!("{}: in the calm", way.name) });
                    break;
                }
            }
        }
        if answers < 20 {
            found.push(wrong(format!("{}: {answers} of 40 requests were answered in the calm", way.name)));
        }
    }
}

async fn closes<K: Time>(world: &World<K>, name: &str, breaker: &Guard<K>, found: &mut Vec<Violation>) {
    for _ in 0..CALLS {
        if breaker.state() == State::Closed {
            break;
        }
        world.clock.past_all(LONGEST_OPEN);
        // First a look, which nobody hears of: a rejection would be one that no caller made.
        if breaker.check().is_ok() {
            let well = |_: &Result<(), ()>| Verdict::success();
            // Whether it was let through is what the state says.
            let _ = breaker.call_with(well, async { Ok(()) }).await;
        }
    }
    // Past a ramp.
    world.clock.past_all(LONGEST_OPEN);
    let (state, check) = (breaker.state(), breaker.check());
    if state != State::Closed || check.is_err() {
        found.push(wrong(format!("breaker {name}: {state} after {CALLS} calls that could have succeeded")));
    }
}

/// A success at the first try pays in. As many as there is room for fill it.
async fn fills<K: Time>(world: &World<K>, found: &mut Vec<Violation>) {
    for (name, budget) in world.budgets.of_tokens() {
        let retry = Retry::new([Duration::ZERO], tokio::time::sleep).budget(budget);
        for _ in 0..budget.capacity() {
            let _ = retry.run(|_| async { Ok::<_, ()>(()) }).await;
        }
        let (balance, capacity) = (budget.balance(), budget.capacity());
        if balance != capacity {
            found.push(wrong(format!("budget {name}: {balance} of {capacity} after {capacity} successes")));
        }
    }
}

fn wrong(why: String) -> Violation {
    Violation { rule: Rule::Recovery, why }
}

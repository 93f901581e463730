//! Plays a story with the real combinator, and writes down what happens.

use std::{
    cell::Cell,
    future::Future,
    iter,
    num::NonZeroU32,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
    time::Duration,
};

use evenkeel_hedging::{Delays, Hedge, NEVER, Verdict};

use super::{
    Sleep, World,
    model::{Rules, Spacing, Story},
    ms,
    spies::{Event, Log, Scribe, SpyBudget},
};

/// What happens in a story with these rules.
pub(crate) fn play(rules: &Rules, story: &Story) -> Log {
    play_polled(rules, story, false)
}

/// What happens in it where the request is polled each millisecond: the same.
pub(crate) fn play_restless(rules: &Rules, story: &Story) -> Log {
    play_polled(rules, story, true)
}

fn play_polled(rules: &Rules, story: &Story, restless: bool) -> Log {
    let delay = |delay: &Option<u64>| delay.map_or(NEVER, ms);
    let all = |list: &[Option<u64>]| list.iter().map(delay).collect::<Vec<_>>();
    match &rules.spacing {
        Spacing::List(list) => play_with(all(list), rules, story, restless),
        Spacing::Unsure(list) => {
            // It says that there may be one more, and there is none.
            let mut list = all(list);
            list.push(Duration::from_nanos(1));
            play_with(list.into_iter().filter(|delay| delay.subsec_nanos() != 1), rules, story, restless)
        }
        Spacing::Every(every) => play_with(iter::repeat(delay(every)), rules, story, restless),
    }
}

fn play_with<D: Delays>(delays: D, rules: &Rules, story: &Story, restless: bool) -> Log {
    let world = World::new();
    let scribe = Scribe::new(&world);
    let mut hedge = Hedge::new(delays, world.sleeper())
        .when(|result: &Result<(u32, Verdict), ()>| result.as_ref().unwrap().1)
        .budget(SpyBudget::new(&scribe, &story.grants))
        .max_server_delay(ms(rules.max_server_delay))
        .all_failed(story.all_failed);
    if let Some(max) = rules.max_attempts.and_then(NonZeroU32::new) {
        hedge = hedge.max_attempts(max);
    }
    if rules.elsewhere {
        hedge = hedge.elsewhere();
    }
    if let Some(charge) = rules.charge_failures {
        hedge = hedge.charge_failures(charge);
    }
    let answered = Rc::new(Cell::new(false));
    {
        // It outlives its answer here, as it may with a caller.
        let mut run = std::pin::pin!(hedge.run(|number| {
            scribe.note(Event::Sent(number));
            let (scribe, answered) = (scribe.clone(), Rc::clone(&answered));
            let at = number as usize;
            // One that the model does not send fails the comparison, not this.
            let latency = story.latencies.get(at).map_or(Duration::ZERO, |latency| ms(*latency));
            let verdict = story.verdicts.get(at).copied().flatten().unwrap_or(Verdict::success());
            Scripted { number, verdict, sleep: world.after(latency), scribe, answered, ended: false }
        }));
        let answer = if restless { world.run_restless(run.as_mut()) } else { world.run(run.as_mut()) };
        let (number, _) = answer.unwrap();
        answered.set(true);
        scribe.note(Event::Answered(number));
    }
    scribe.take()
}

struct Scripted {
    number: u32,
    verdict: Verdict,
    sleep: Sleep,
    scribe: Scribe,
    answered: Rc<Cell<bool>>,
    ended: bool,
}

impl Future for Scripted {
    type Output = Result<(u32, Verdict), ()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        assert!(!self.answered.get(), "attempt {} runs after the answer", self.number);
        assert!(!self.ended, "attempt {} is polled after its end", self.number);
        if Pin::new(&mut self.sleep).poll(cx).is_pending() {
            return Poll::Pending;
        }
        self.ended = true;
        self.scribe.note(Event::Ended(self.number));
        Poll::Ready(Ok((self.number, self.verdict)))
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        if !self.ended {
            self.scribe.note(Event::Lost(self.number));
        }
    }
}

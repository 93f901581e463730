//! For all histories: a map of breakers does what a naive model of it does.
#![cfg(not(loom))]
#![allow(clippy::disallowed_methods)] // A clock that is moved by hand has to begin somewhere.

use std::{
    collections::BTreeSet,
    num::NonZeroUsize,
    time::{Duration, Instant},
};

use evenkeel_breaker::{Breaker, BreakerMap, State};
use proptest::{collection::vec, prelude::*};

/// Keys are idle after so many seconds, and breakers open for so many.
const IDLE: i64 = 64;
const OPEN: i64 = 16;

/// One thing that happens, at a time in seconds that may go back.
#[derive(Clone, Debug)]
enum Step {
    Ask(u8),
    /// With a handle that was given out for the key, be it its own still or that of one that was dropped.
    Do(u8, Act),
    RemoveIdle,
    Remove(u8),
    /// So many seconds pass; fewer than none, when the clock goes back.
    Wait(i64),
}

#[derive(Clone, Copy, Debug)]
enum Act {
    Succeed,
    Fail,
    ForceOpen,
    ForceClosed,
    Reset,
}

/// The rules, in a list that is looked through from the beginning.
struct Model {
    capacity: usize,
    share: f64,
    keys: Vec<Key>,
    made: u32,
    evicted: u64,
    held: u64,
}

#[derive(Clone, Copy, Debug)]
struct Key {
    key: u8,
    /// Which breaker it is, in the order in which they are made.
    number: u32,
    used: i64,
    state: State,
    until: i64,
}

impl Key {
    fn rejects(&self) -> bool {
        matches!(self.state, State::Open | State::HalfOpen | State::ForcedOpen)
    }
}

impl Model {
    /// The number of the key's breaker.
    fn ask(&mut self, key: u8, now: i64) -> u32 {
        if let Some(held) = self.keys.iter_mut().find(|held| held.key == key) {
            held.used = held.used.max(now);
            return held.number;
        }
        if self.keys.len() == self.capacity {
            let closed = self.keys.iter().filter(|key| key.state == State::Closed);
            let oldest = closed.min_by_key(|key| (key.used, key.number));
            let oldest = oldest.or_else(|| self.keys.iter().min_by_key(|key| (key.used, key.number)));
            let number = oldest.unwrap().number;
            self.keys.retain(|key| key.number != number);
            self.evicted += 1;
        }
        let number = self.made;
        self.made += 1;
        self.keys.push(Key { key, number, used: now, state: State::Closed, until: 0 });
        self.remove_idle(now, 2);
        number
    }

    fn remove_idle(&mut self, now: i64, most: usize) -> usize {
        for removed in 0..most {
            let idle = |key: &&Key| key.state == State::Closed && now - key.used >= IDLE;
            let oldest = self.keys.iter().filter(idle).min_by_key(|key| (key.used, key.number));
            let Some(number) = oldest.map(|key| key.number) else { return removed };
            if self.rejecting() > self.most_of(self.keys.len() - 1) {
                return removed;
            }
            self.keys.retain(|key| key.number != number);
            self.evicted += 1;
        }
        most
    }

    fn rejecting(&self) -> usize {
        self.keys.iter().filter(|key| key.rejects()).count()
    }

    /// The most that are within the share, counted up one by one.
    fn most_of(&self, keys: usize) -> usize {
        (1..=keys).take_while(|rejecting| *rejecting as f64 / keys as f64 <= self.share).count().max(1)
    }

    /// A breaker that was dropped is none of the model's.
    fn act(&mut self, number: u32, act: Act, now: i64) {
        let room = self.rejecting() < self.most_of(self.keys.len());
        let Some(key) = self.keys.iter_mut().find(|key| key.number == number) else { return };
        match (act, key.state) {
            (Act::ForceOpen, _) => key.state = State::ForcedOpen,
            (Act::ForceClosed, _) => key.state = State::ForcedClosed,
            (Act::Reset, _) => key.state = State::Closed,
            (Act::Fail, State::Closed) if room => (key.state, key.until) = (State::Open, now + OPEN),
            (Act::Fail, State::Closed) => self.held += 1,
            (Act::Succeed, State::Open) if now >= key.until => key.state = State::Closed,
            (Act::Fail, State::Open) if now >= key.until => key.until = now + OPEN,
            (Act::Succeed | Act::Fail, _) => {}
        }
    }
}

fn act(breaker: &Breaker<impl Fn() -> Instant>, act: Act, now: Instant) {
    match (act, breaker.try_acquire_at(now)) {
        (Act::Succeed, Ok(permit)) => permit.success_at(now),
        (Act::Fail, Ok(permit)) => permit.failure_at(now),
        (Act::Succeed | Act::Fail, Err(_)) => {}
        (Act::ForceOpen | Act::ForceClosed | Act::Reset, asked) => {
            if let Ok(permit) = asked {
                permit.abandon_at(now);
            }
            match act {
                Act::ForceOpen => breaker.force_open_at(now),
                Act::ForceClosed => breaker.force_closed_at(now),
                Act::Reset | Act::Succeed | Act::Fail => breaker.reset_at(now),
            }
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    let act = prop_oneof![
        8 => Just(Act::Fail),
        4 => Just(Act::Succeed),
        1 => Just(Act::ForceOpen),
        1 => Just(Act::ForceClosed),
        1 => Just(Act::Reset),
    ];
    prop_oneof![
        8 => (0..12_u8).prop_map(Step::Ask),
        12 => (any::<u8>(), act).prop_map(|(which, act)| Step::Do(which, act)),
        1 => Just(Step::RemoveIdle),
        1 => (0..12_u8).prop_map(Step::Remove),
        4 => prop_oneof![4 => 0..6_i64, 2 => 0..100_i64, 1 => -50..0_i64].prop_map(Step::Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn every_history_of_a_map_is_that_of_the_naive_model(
        capacity in 1..9_usize,
        share in prop_oneof![Just(0.5), Just(0.3), Just(1.0), 0.01..1.0_f64],
        steps in vec(step(), 0..250),
    ) {
        let seconds_of = Duration::from_secs;
        let epoch = Instant::now();
        let breaker = Breaker::builder().consecutive_failures(1).open_for([seconds_of(OPEN as u64)]);
        let map: BreakerMap<u8, _> = BreakerMap::builder(NonZeroUsize::new(capacity).unwrap(), breaker)
            .idle_after(seconds_of(IDLE as u64))
            .max_open(share)
            .clock(move || epoch)
            .build()
            .unwrap();
        let mut model = Model { capacity, share, keys: Vec::new(), made: 0, evicted: 0, held: 0 };
        // Handles in the order in which they are made, those of dropped keys among them.
        let mut handles = Vec::new();
        let (mut seconds, mut latest) = (0_i64, 0_i64);
        for step in &steps {
            let now = epoch + seconds_of(seconds as u64);
            match *step {
                Step::Ask(key) => {
                    let given = map.breaker_at(&key, now);
                    let number = model.ask(key, seconds) as usize;
                    if number == handles.len() {
                        handles.push(given);
                    } else {
                        // It is the same breaker if what one is forced to is what the other shows.
                        prop_assert_eq!(given.snapshot_at(now), handles[number].snapshot_at(now));
                    }
                }
                Step::Do(which, what) if !handles.is_empty() => {
                    let number = usize::from(which) % handles.len();
                    // Breakers are told times that do not go back: what those make of it is theirs.
                    let (now, seconds) = (epoch + seconds_of(latest as u64), latest);
                    act(&handles[number], what, now);
                    model.act(number as u32, what, seconds);
                }
                Step::Do(..) => {}
                Step::RemoveIdle => {
                    prop_assert_eq!(map.remove_idle_at(now), model.remove_idle(seconds, usize::MAX));
                }
                Step::Remove(key) => {
                    let there = model.keys.iter().any(|held| held.key == key);
                    model.keys.retain(|held| held.key != key);
                    prop_assert_eq!(map.remove(&key).is_some(), there);
                }
                Step::Wait(wait) => {
                    seconds = (seconds + wait).max(0);
                    latest = latest.max(seconds);
                }
            }
            let snapshot = map.snapshot();
            let states = map.snapshots();
            let kept: BTreeSet<_> = states.iter().map(|(key, shown)| (*key, shown.state.code())).collect();
            let expected: BTreeSet<_> = model.keys.iter().map(|key| (key.key, key.state.code())).collect();
            prop_assert_eq!(kept, expected, "after {:?} at {}", step, seconds);
            prop_assert!(snapshot.keys <= capacity && snapshot.keys == model.keys.len());
            prop_assert_eq!((snapshot.evicted, snapshot.held_closed), (model.evicted, model.held));
            prop_assert_eq!(snapshot.rejecting, model.rejecting(), "what is counted is what rejects");
            prop_assert_eq!(snapshot.most_rejecting, model.most_of(model.keys.len()));
        }
        drop(handles);
        map.snapshots().iter().for_each(|(key, _)| drop(map.remove(key)));
        prop_assert_eq!(map.snapshot().rejecting, 0);
    }

    /// Many keys at a time: more than a new one looks at for idle ones.
    #[test]
    fn however_many_keys_are_in_use_a_map_is_never_above_its_capacity_and_drops_the_longest_idle_first(
        capacity in 1..80_usize,
        steps in vec((0..100_u32, 1..100_u32, 0..40_u64), 1..12),
    ) {
        let second = Duration::from_secs(1);
        let map: BreakerMap<u32> = BreakerMap::builder(NonZeroUsize::new(capacity).unwrap(), Breaker::builder())
            .idle_after(60 * second)
            .build()
            .unwrap();
        let (start, mut seconds, mut made) = (Instant::now(), 0, 0_u32);
        // By when they were asked for last, and which breaker it is: the longest idle first.
        let mut kept: BTreeSet<(u64, u32, u32)> = BTreeSet::new();
        for (first, keys, wait) in steps {
            seconds += wait;
            for key in (first..first + keys).map(|key| key % 100) {
                let _ = map.breaker_at(&key, start + second * seconds as u32);
                prop_assert!(map.len() <= capacity);
                if let Some(held) = kept.iter().find(|held| held.2 == key).copied() {
                    kept.remove(&held);
                    kept.insert((seconds, held.1, key));
                    continue;
                }
                let is_full = kept.len() == capacity;
                kept.insert((seconds, made, key));
                made += 1;
                let gone = kept.len() - map.len();
                prop_assert!((usize::from(is_full)..=usize::from(is_full) + 2).contains(&gone), "{} are gone", gone);
                for number in 0..gone {
                    let (used, _, longest_idle) = kept.pop_first().unwrap();
                    prop_assert!(map.get(&longest_idle).is_none(), "{} was not dropped, but another", longest_idle);
                    prop_assert!(number < usize::from(is_full) || seconds - used >= 60, "not idle, and not needed");
                }
            }
        }
        let idle = kept.iter().filter(|(used, ..)| seconds - used >= 60).count();
        prop_assert_eq!(map.remove_idle_at(start + second * seconds as u32), idle);
    }

    #[test]
    fn without_force_and_removal_by_name_the_share_is_never_exceeded(
        capacity in 1..20_usize,
        share in 0.01..=1.0_f64,
        steps in vec((0..30_u8, 0..3_u8, 0..20_u64), 1..300),
    ) {
        let breaker = Breaker::builder().consecutive_failures(1).open_for([Duration::from_secs(30)]);
        let map: BreakerMap<u8> = BreakerMap::builder(NonZeroUsize::new(capacity).unwrap(), breaker)
            .idle_after(Duration::from_secs(60))
            .max_open(share)
            .build()
            .unwrap();
        let mut now = Instant::now();
        for (key, what, wait) in steps {
            now += Duration::from_secs(wait);
            match (what, map.try_acquire_at(&key, now)) {
                (0, _) => drop(map.remove_idle_at(now)),
                (1, Ok(permit)) => permit.success_at(now),
                (_, Ok(permit)) => permit.failure_at(now),
                (_, Err(_)) => {}
            }
            let keys = map.snapshots();
            let rejecting = keys.iter().filter(|(_, shown)| shown.state != State::Closed).count();
            prop_assert!(rejecting <= 1 || rejecting as f64 / keys.len() as f64 <= share);
            prop_assert_eq!(map.snapshot().rejecting, rejecting);
        }
    }
}

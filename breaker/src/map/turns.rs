//! Whose turn it is to be dropped: the longest idle closed key's, and how many are looked at to find it.

use std::{cmp::Reverse, collections::BinaryHeap};

use super::order::{Order, Place};
use crate::{member::Seat, quota::Quota, sync::Arc};

/// So many keys are looked at to make room in a full map: all may have been asked for since, and every call for any key waits
/// until it is done. Those that are not closed are among them: where so many opened that few of the others come in sight, one of
/// these few goes, in use or not.
const LOOKS_FOR_ROOM: usize = if cfg!(loom) { 2 } else { 1_024 };

/// The keys of a map, those that are closed apart from those that are not.
pub(super) struct Turns<K> {
    /// Those that were closed when they were looked at last.
    closed: Order<K>,
    /// Those that were not: they are put aside, and the quota says which of them are closed again.
    others: Order<K>,
    quota: Arc<Quota>,
    looks_for_room: usize,
}

/// Where those stand that are there for the choice, the longest idle one on top.
type Choice = BinaryHeap<Reverse<Place>>;

impl<K> Turns<K> {
    pub(super) const fn new(quota: Arc<Quota>) -> Self {
        Self { closed: Order::new(), others: Order::new(), quota, looks_for_room: LOOKS_FOR_ROOM }
    }

    /// A new key, which is closed.
    pub(super) fn insert(&mut self, key: K, seat: Arc<Seat>) {
        self.closed.insert(key, seat);
    }

    /// The key of a seat that is here.
    pub(super) fn key(&self, seat: &Seat) -> Option<&K> {
        self.closed.key(seat).or_else(|| self.others.key(seat))
    }

    pub(super) fn remove(&mut self, seat: &Seat) -> Option<(K, Arc<Seat>)> {
        self.closed.remove(seat).or_else(|| self.others.remove(seat))
    }

    /// The longest idle one that is closed, if it is found with so many looks, else of those that were looked at.
    ///
    /// Those that closed again are not counted to these: they are moved to the closed ones before, as many of them at most.
    pub(super) fn longest_idle_closed(&mut self) -> Option<Arc<Seat>> {
        let (mut choice, mut looks) = (Choice::new(), self.looks_for_room);
        self.take_back(looks, |place| choice.push(Reverse(place)));
        let longest = self.find_idle(u64::MAX, &mut looks, |place| choice.push(Reverse(place)));
        longest.or_else(|| self.still_closed(choice))
    }

    /// Where no closed one was found: the longest idle one of those that are not, as there.
    ///
    /// It may be that one is closed, and so many others stand in front of it. To look on would be a pause without a bound.
    /// As they are put aside, and the next new key goes on behind them, of so many that open one is dropped, at the most.
    pub(super) fn longest_idle_other(&mut self) -> Option<Arc<Seat>> {
        self.others.longest_idle(self.looks_for_room)
    }

    /// The longest idle of those that are closed, if it was not asked for after `latest`, and is found with so many looks, which
    /// are counted down.
    pub(super) fn closed_idle_since(&mut self, latest: u64, looks: &mut usize) -> Option<Arc<Seat>> {
        self.take_back(*looks, |_| ());
        self.find_idle(latest, looks, |_| ())
    }

    /// So many of those that closed again, at the most, are with the closed ones from now on: `moved` is told where.
    fn take_back(&mut self, most: usize, mut moved: impl FnMut(Place)) {
        for seat in self.quota.take_closed_again(most) {
            // Not there, if its key was dropped since.
            if let Some((key, seat)) = self.others.remove(&seat) {
                moved(self.closed.insert(key, seat));
            }
        }
    }

    /// As there, of those that are with the closed ones. `moved` is told where those stand now that were looked at, and are
    /// closed, and are not it.
    fn find_idle(&mut self, latest: u64, looks: &mut usize, mut moved: impl FnMut(Place)) -> Option<Arc<Seat>> {
        loop {
            let seat = self.closed.first(latest)?;
            *looks = looks.checked_sub(1)?;
            if seat.put_aside() {
                let (key, seat) = self.closed.pop_first()?;
                self.others.insert(key, seat);
            } else if seat.is_filed_right() {
                return Some(Arc::clone(seat));
            } else {
                moved(self.closed.move_first()?);
            }
        }
    }

    /// The first one that still is: each of them was closed when it was looked at, and may have opened since.
    fn still_closed(&mut self, mut choice: Choice) -> Option<Arc<Seat>> {
        loop {
            let Reverse(place) = choice.pop()?;
            // Not there, if it was put aside since.
            let Some(seat) = self.closed.at(place) else { continue };
            if !seat.put_aside() {
                return Some(seat);
            }
            if let Some((key, seat)) = self.closed.remove(&seat) {
                self.others.insert(key, seat);
            }
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::collections::BTreeMap;

    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::{State, member::Member};

    /// Keys whose numbers are their names, of which a new one looks at so many others.
    struct Map {
        turns: Turns<u64>,
        keys: BTreeMap<u64, Key>,
        made: u64,
    }

    struct Key {
        seat: Arc<Seat>,
        breaker: Member,
        is_closed: bool,
    }

    impl Map {
        fn new(looks_for_room: usize) -> Self {
            let turns = Turns { looks_for_room, ..Turns::new(Arc::new(Quota::new(0.5))) };
            Self { turns, keys: BTreeMap::new(), made: 0 }
        }

        fn add(&mut self, now: u64) {
            let seat = Arc::new(Seat::new(self.made, now));
            let breaker = Member::new(Arc::clone(&self.turns.quota), Arc::clone(&seat), true);
            self.turns.insert(self.made, Arc::clone(&seat));
            self.keys.insert(self.made, Key { seat, breaker, is_closed: true });
            self.made += 1;
        }

        fn step(&mut self, key: u64, state: State) {
            let key = self.keys.get_mut(&key).expect("it is there");
            key.is_closed = state == State::Closed;
            key.breaker.follow(state, None);
        }

        /// By when they were asked for last: those that are closed, or those that are not.
        fn aged(&self, is_closed: bool) -> Vec<Place> {
            let of = |(key, held): (&u64, &Key)| (held.is_closed == is_closed).then(|| (held.seat.last_used(), *key));
            let mut aged: Vec<_> = self.keys.iter().filter_map(of).collect();
            aged.sort_unstable();
            aged
        }

        /// Which way it is filed: under which time, and among which.
        fn filed(&self) -> Vec<(u64, bool)> {
            let place = |held: &Key| (held.seat.filed(), self.turns.closed.key(&held.seat).is_some());
            self.keys.values().map(place).collect()
        }

        /// Which key goes, and how many were moved to find it.
        fn make_room(&mut self) -> (u64, usize) {
            let before = self.filed();
            let seat = self.turns.longest_idle_closed().or_else(|| self.turns.longest_idle_other());
            let moved = before.iter().zip(self.filed()).filter(|(before, after)| *before != after).count();
            let (key, seat) = self.turns.remove(&seat.expect("there is one")).expect("it is here");
            assert!(self.keys.remove(&key).is_some() && seat.number() == key);
            (key, moved)
        }
    }

    fn asked_for(keys: u64, looks: usize, used: impl Fn(u64) -> u64) -> Map {
        let mut map = Map::new(looks);
        (0..keys).for_each(|_| map.add(0));
        map.keys.iter().for_each(|(key, held)| held.seat.use_at(used(*key)));
        map
    }

    #[test]
    fn however_many_were_asked_for_since_no_more_are_moved_than_are_looked_at() {
        let mut map = asked_for(100, 32, |key| 500 - key);
        let gone = [(); 4].map(|()| map.make_room());
        assert_eq!(gone, [(31, 32), (63, 32), (95, 32), (99, 4)], "and then the longest idle of all");
    }

    #[test]
    fn idle_ones_are_found_with_so_many_looks_and_the_next_go_on_behind_them() {
        let mut map = asked_for(1_000, 1, |_| 50);
        let mut looks = 32;
        assert!(map.turns.closed_idle_since(60, &mut looks).is_none());
        assert_eq!((looks, map.filed().iter().filter(|(filed, _)| *filed == 50).count()), (0, 32));
        let mut looks = 1_000;
        let seat = map.turns.closed_idle_since(60, &mut looks).expect("all of them are idle at 60");
        assert_eq!((seat.number(), looks), (0, 31));
        map.keys.values().for_each(|held| held.seat.use_at(70));
        assert!(map.turns.closed_idle_since(49, &mut looks).is_none());
        assert_eq!(looks, 31, "where the first is not idle, none is looked at");
    }

    #[test]
    fn one_that_is_not_closed_goes_only_where_none_that_was_looked_at_is() {
        for (open, gone) in [(31, 31), (32, 0)] {
            let mut map = asked_for(100, 32, |key| key);
            (0..open).for_each(|key| map.step(key, State::Open));
            assert_eq!(map.make_room().0, gone, "behind {open}");
        }
    }

    #[test]
    fn those_that_closed_again_are_moved_so_many_at_a_time_and_are_there_for_the_choice() {
        let mut map = asked_for(100, 32, |key| key);
        (0..99).for_each(|key| map.step(key, State::Open));
        assert_eq!([(); 3].map(|()| map.make_room().0), [0, 1, 2], "32 were put aside with each");
        (3..90).rev().for_each(|key| map.step(key, State::Closed));
        assert_eq!(map.make_room(), (58, 32 + 4), "of 89 to 58, which closed first; and the last four are looked at");
        assert_eq!(map.make_room(), (26, 32));
        assert_eq!(map.make_room(), (3, 23));
    }

    #[test]
    fn one_who_looks_for_idle_ones_takes_no_more_back_than_it_may_look_at() {
        let mut map = asked_for(100, 1_000, |_| 50);
        (0..99).for_each(|key| map.step(key, State::Open));
        assert_eq!(map.make_room().0, 99, "all others were put aside");
        (0..99).for_each(|key| map.step(key, State::Closed));
        assert!(map.turns.closed_idle_since(49, &mut 32).is_none());
        assert_eq!(map.filed().iter().filter(|(_, is_with_the_closed)| *is_with_the_closed).count(), 32);
    }

    #[test]
    fn one_that_closed_again_goes_before_those_that_are_not_closed() {
        let mut map = asked_for(100, 32, |key| key);
        (0..99).for_each(|key| map.step(key, State::Open));
        assert_eq!(map.make_room().0, 0);
        map.step(20, State::Closed);
        assert_eq!(map.make_room(), (20, 32 + 1), "behind 32 more that are not closed");
    }

    #[test]
    fn where_none_is_closed_no_more_are_moved_than_are_looked_at() {
        let mut map = asked_for(103, 32, |key| 500 - key);
        (0..103).for_each(|key| map.step(key, State::Open));
        assert_eq!([(); 3].map(|()| map.make_room()), [(31, 32), (63, 32), (95, 32)], "put aside with each");
        assert_eq!(map.make_room(), (102, 7));
        map.keys.iter().for_each(|(key, held)| held.seat.use_at(600 + key));
        assert_eq!(map.make_room(), (69, 32), "101 to 69 are looked at, of which 95 has gone");
    }

    #[test]
    fn one_that_opens_after_it_was_looked_at_is_passed_over_and_heard_of_again() {
        let mut map = asked_for(4, 4, |key| 9 - key);
        let mut choice = Choice::new();
        assert!(map.turns.find_idle(u64::MAX, &mut 3, |place| choice.push(Reverse(place))).is_none());
        map.step(2, State::Open);
        let chosen = map.turns.still_closed(choice).expect("two of them are closed");
        assert_eq!(chosen.number(), 1, "2 would be the longest idle of the three");
        map.step(2, State::Closed);
        assert_eq!((map.make_room().0, map.make_room().0), (3, 2));
    }

    #[derive(Clone, Copy, Debug)]
    enum Step {
        Come,
        Ask(usize),
        AskAll,
        Turn(usize, State),
        Wait(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        let state = prop_oneof![Just(State::Open), Just(State::Closed)];
        prop_oneof![
            6 => Just(Step::Come),
            8 => any::<usize>().prop_map(Step::Ask),
            1 => Just(Step::AskAll),
            4 => (any::<usize>(), state).prop_map(|(which, state)| Step::Turn(which, state)),
            6 => (0..4_u64).prop_map(Step::Wait),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

        #[test]
        fn what_goes_is_the_longest_idle_closed_one_or_of_those_that_were_looked_at(
            capacity in 1..16_usize,
            looks in 1..20_usize,
            steps in vec(step(), 0..100),
        ) {
            let (mut map, mut now) = (Map::new(looks), 0);
            for step in steps {
                let nth = |which: usize, map: &Map| map.keys.keys().nth(which % map.keys.len().max(1)).copied();
                match step {
                    Step::Wait(time) => now += time,
                    Step::Ask(which) => drop(nth(which, &map).map(|key| map.keys[&key].seat.use_at(now))),
                    Step::AskAll => map.keys.values().for_each(|held| held.seat.use_at(now)),
                    Step::Turn(which, state) => drop(nth(which, &map).map(|key| map.step(key, state))),
                    Step::Come if map.keys.len() < capacity => map.add(now),
                    Step::Come => {
                        let (closed, others) = (map.aged(true), map.aged(false));
                        let (gone, moved) = map.make_room();
                        map.add(now);
                        let behind = |aged: &[Place]| aged.iter().position(|(_, key)| *key == gone).map(|at| (at, aged.len()));
                        // So many were looked at, and those of them that were closed are behind it, if it is not the first.
                        let is_right = |(at, len): (usize, usize), others: usize| at == 0 || len - at + others >= looks;
                        match (behind(&closed), behind(&others)) {
                            (Some(found), _) => prop_assert!(is_right(found, others.len()), "{:?}", found),
                            (None, Some(found)) => {
                                prop_assert!(closed.is_empty() || others.len() >= looks, "a closed one could be found");
                                prop_assert!(is_right(found, 0), "{:?}", found);
                            }
                            (None, None) => prop_assert!(false, "{} was not there", gone),
                        }
                        // Those that closed again, those that were closed, and, where none of these is, the others.
                        let kinds = if others.is_empty() { 2 } else { 3 };
                        prop_assert!(moved <= kinds * looks, "{} were moved", moved);
                    }
                }
                prop_assert!(map.keys.len() <= capacity);
            }
        }
    }
}

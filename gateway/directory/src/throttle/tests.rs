use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn ip(text: &str) -> IpAddr {
    text.parse().expect("address")
}

/// One login after another: each waits as long as it must.
impl Throttle {
    fn delay(self: &Arc<Self>, peer: IpAddr, user: &str, now: Instant) -> Duration {
        match self.begin((peer, user), now, now) {
            Ok(attempt) => {
                attempt.undecided(now);
                Duration::ZERO
            }
            Err(wait) => wait,
        }
    }

    fn patient(self: &Arc<Self>, peer: IpAddr, user: &str, now: Instant) -> Attempt {
        let since = now.checked_sub(self.limits.delay_max.min(Duration::from_secs(3600)));
        self.begin((peer, user), since.expect("uptime"), now)
            .expect("has waited")
    }

    fn failed(self: &Arc<Self>, peer: IpAddr, user: &str, now: Instant) {
        self.patient(peer, user, now).refused(now);
    }
}

fn throttle() -> Arc<Throttle> {
    Arc::new(Throttle::new(ThrottleLimits::default()))
}

/// The waits after each of `failures` failures in a row, in seconds.
fn waits(
    throttle: &Arc<Throttle>,
    peer: &str,
    users: impl Fn(u32) -> String,
    failures: u32,
) -> Vec<u64> {
    let now = Instant::now();
    (0..failures)
        .map(|n| {
            throttle.failed(ip(peer), &users(n), now);
            throttle.delay(ip(peer), &users(n), now).as_secs()
        })
        .collect()
}

#[test]
fn the_third_failure_costs_a_second_and_each_further_one_twice_that() {
    let throttle = throttle();
    assert_eq!(
        waits(&throttle, "192.0.2.1", |_| "alice".into(), 8),
        [0, 0, 1, 2, 4, 8, 15, 15]
    );
}

#[test]
fn a_peer_is_slowed_whatever_names_it_tries() {
    let throttle = throttle();
    assert_eq!(
        waits(&throttle, "192.0.2.1", |n| format!("user{n}"), 4),
        [0, 0, 1, 2]
    );
    let now = Instant::now();
    assert_eq!(
        throttle.delay(ip("192.0.2.2"), "carol", now),
        Duration::ZERO
    );
    assert_eq!(
        throttle.delay(ip("::ffff:192.0.2.1"), "carol", now),
        2 * SECOND
    );
}

#[test]
fn a_user_is_guarded_wherever_the_guesses_come_from() {
    let throttle = throttle();
    let now = Instant::now();
    for n in 0..4 {
        throttle.failed(ip(&format!("192.0.2.{n}")), "alice", now);
    }
    assert_eq!(throttle.delay(ip("198.51.100.1"), "Alice", now), 2 * SECOND);
    throttle
        .patient(ip("203.0.113.1"), "alice", now)
        .accepted(now);
    assert_eq!(
        throttle.delay(ip("198.51.100.1"), "alice", now),
        Duration::ZERO
    );
}

#[test]
fn an_ipv6_network_counts_as_one_peer() {
    let throttle = throttle();
    waits(&throttle, "2001:db8::1", |n| format!("user{n}"), 3);
    let now = Instant::now();
    assert_eq!(throttle.delay(ip("2001:db8::2:3:4:5"), "", now), SECOND);
    assert_eq!(
        throttle.delay(ip("2001:db8:0:1::1"), "", now),
        Duration::ZERO
    );
}

#[test]
fn loopback_is_counted_by_user_only() {
    let throttle = throttle();
    for peer in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
        assert_eq!(waits(&throttle, peer, |n| format!("{peer}{n}"), 5), [0; 5]);
    }
    assert_eq!(
        waits(&throttle, "127.0.0.1", |_| "alice".into(), 3),
        [0, 0, 1]
    );
}

#[test]
fn a_success_does_not_clear_the_peer() {
    let throttle = throttle();
    waits(&throttle, "192.0.2.1", |n| format!("user{n}"), 4);
    let now = Instant::now();
    throttle
        .patient(ip("192.0.2.1"), "mallory", now)
        .accepted(now);
    assert_eq!(
        throttle.delay(ip("192.0.2.1"), "alice", Instant::now()),
        2 * SECOND
    );
}

#[test]
fn failures_are_forgotten_one_a_minute() {
    let throttle = throttle();
    let (peer, start) = (ip("192.0.2.1"), Instant::now());
    for _ in 0..1000 {
        throttle.failed(peer, "alice", start);
    }
    let after = |seconds| {
        throttle
            .delay(peer, "alice", start + Duration::from_secs(seconds))
            .as_secs()
    };
    assert_eq!(
        [after(0), after(239), after(240), after(419), after(420)],
        [15, 15, 8, 2, 1]
    );
    // A failure in between neither loses nor gains part of a minute.
    throttle.failed(peer, "alice", start + Duration::from_secs(450));
    assert_eq!([after(450), after(480), after(540)], [2, 1, 0]);
}

#[test]
fn memory_is_bounded_and_the_worst_offenders_are_kept() {
    let limits = ThrottleLimits {
        entries_max: 100,
        ..ThrottleLimits::default()
    };
    let throttle = Arc::new(Throttle::new(limits));
    let now = Instant::now();
    for _ in 0..5 {
        throttle.failed(ip("192.0.2.1"), "alice", now);
    }
    for n in 0..10_000_u32 {
        throttle.failed(IpAddr::V4(n.into()), &format!("user{n}"), now);
    }
    assert!(throttle.counters.lock().expect("lock").len() <= 100);
    assert_eq!(throttle.delay(ip("192.0.2.1"), "", now), 4 * SECOND);
    assert_eq!(throttle.delay(ip("198.51.100.1"), "alice", now), 4 * SECOND);
}

#[test]
fn odd_limits_do_not_panic() {
    let limits = ThrottleLimits {
        free_failures: 0,
        first_delay: Duration::MAX,
        delay_max: Duration::MAX,
        forget_after: Duration::ZERO,
        failures_max: u32::MAX,
        entries_max: 0,
    };
    let throttle = Arc::new(Throttle::new(limits));
    let now = Instant::now();
    let running: Vec<_> = (0..100)
        .filter_map(|_| throttle.begin((ip("192.0.2.1"), "alice"), now, now).ok())
        .collect();
    drop(running);
    assert_eq!(throttle.delay(ip("192.0.2.1"), "alice", now), Duration::MAX);
}

#[test]
fn parallel_guesses_wait_as_if_they_came_one_by_one() {
    let throttle = throttle();
    let (peer, start) = (ip("192.0.2.1"), Instant::now());
    let mut begun = Vec::new();
    let mut waiting = 0;
    for _ in 0..100 {
        match throttle.begin((peer, "alice"), start, start) {
            Ok(attempt) => begun.push(attempt),
            Err(wait) => {
                assert_eq!(wait, SECOND);
                waiting += 1;
            }
        }
    }
    assert_eq!((begun.len(), waiting), (3, 97));
    for attempt in begun {
        attempt.refused(start);
    }
    let mut begun_by = |seconds| {
        let now = start + Duration::from_secs(seconds);
        let attempts: Vec<_> = (0..waiting)
            .map_while(|_| throttle.begin((peer, "alice"), start, now).ok())
            .collect();
        waiting -= attempts.len();
        attempts.len()
    };
    // What is dropped has failed.
    let begun: Vec<_> = [0, 1, 1, 2, 3, 4, 8, 14]
        .into_iter()
        .map(&mut begun_by)
        .collect();
    assert_eq!(begun, [0, 1, 0, 1, 0, 1, 1, 0]);
}

#[test]
fn one_success_lets_the_others_who_wait_for_that_user_go_on() {
    let throttle = throttle();
    let now = Instant::now();
    let peer = ip("127.0.0.1");
    let begin = || throttle.begin((peer, "alice"), now, now);
    let mut running: Vec<_> = (0..3).map(|_| begin().expect("free")).collect();
    assert_eq!(begin().err(), Some(SECOND));
    running.pop().expect("one").accepted(now);
    running.push(begin().expect("a place is free again"));
    assert_eq!(begin().err(), Some(SECOND));
}

#[test]
fn what_nobody_could_decide_counts_for_nothing() {
    let throttle = throttle();
    let now = Instant::now();
    for _ in 0..10 {
        throttle
            .patient(ip("192.0.2.1"), "alice", now)
            .undecided(now);
    }
    assert_eq!(
        throttle.delay(ip("192.0.2.1"), "alice", now),
        Duration::ZERO
    );
    assert!(throttle.counters.lock().expect("lock").is_empty());
}

#[test]
fn whoever_is_being_checked_is_not_forgotten_for_want_of_room() {
    let limits = ThrottleLimits {
        entries_max: 20,
        ..ThrottleLimits::default()
    };
    let throttle = Arc::new(Throttle::new(limits));
    let now = Instant::now();
    let _running: Vec<_> = (0..3)
        .map(|_| throttle.patient(ip("127.0.0.1"), "alice", now))
        .collect();
    for n in 0..1000_u32 {
        throttle.failed(IpAddr::V4(n.into()), &format!("user{n}"), now);
    }
    assert_eq!(throttle.delay(ip("127.0.0.1"), "alice", now), SECOND);
}

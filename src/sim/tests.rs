//! The parts of the kernel for themselves: latencies, losses, picks, faults of the network.

use super::host::HostId;
use super::host_set::{HostSet, Pick, Selection, Take};
use super::latency::{Latency, Loss};
use super::network::{Effect, Fate, Leg, LinkException, Network, NetworkSetup};
use super::random::{Stream, Streams};
use super::{Cut, CutMode, Digest};
use crate::time::{Instant, Span};

const STREAMS: Streams = Streams::new(42);

fn millis(latency: Latency, number: u64) -> u64 {
    let draw = STREAMS.draw(Stream::RequestLatency, 0, number);
    let decision = || STREAMS.decision(Stream::RequestLatency, 0, number);
    latency.of(draw, decision).nanos() / 1_000_000
}

#[test]
fn a_uniform_latency_takes_every_value_of_its_closed_range() {
    let (low, high) = (Span::from_nanos(3), Span::from_nanos(6));
    let mut seen = [0; 8];
    for number in 0..4_000 {
        let draw = STREAMS.draw(Stream::RequestLatency, 0, number);
        let span = Latency::Uniform(low, high).of(draw, || unreachable!("one draw is enough"));
        seen[span.nanos() as usize] += 1;
    }
    assert_eq!([seen[0], seen[1], seen[2], seen[7]], [0; 4]);
    assert!(seen[3..=6].iter().all(|&times| (900..1_100).contains(&times)), "{seen:?}");
}

#[test]
fn a_log_normal_latency_has_the_percentiles_it_is_given_by() {
    let latency = Latency::LogNormal { median: Span::from_millis(20), p99: Span::from_millis(400) };
    let mut sorted: Vec<u64> = (0..20_000).map(|number| millis(latency, number)).collect();
    sorted.sort_unstable();
    assert!((19..=21).contains(&sorted[10_000]), "{}", sorted[10_000]);
    assert!((360..=440).contains(&sorted[19_800]), "{}", sorted[19_800]);
}

#[test]
fn losses_hit_their_share_and_add_up_as_independent_ones() {
    let share = |loss: Loss| {
        let hit = |number: &u64| loss.hits(STREAMS.draw(Stream::RequestLoss, 1, *number));
        (0..100_000).filter(hit).count() as f64 / 100_000.0
    };
    assert_eq!(share(Loss::NONE), 0.0);
    assert_eq!(share(Loss::share(1.0)), 1.0);
    assert!((share(Loss::share(0.2)) - 0.2).abs() < 0.005);
    let both = Loss::share(0.2).or(Loss::share(0.5));
    assert!((share(both) - 0.6).abs() < 0.005);
    assert_eq!(Loss::NONE.or(Loss::share(0.3)), Loss::share(0.3));
}

#[test]
fn a_draw_depends_on_who_draws_what_for_the_how_manyth_time_and_on_nothing_else() {
    let draw = |seed, stream, entity, counter| Streams::new(seed).draw(stream, entity, counter);
    let first = draw(1, Stream::ReplyLoss, 2, 3);
    assert_eq!(first, draw(1, Stream::ReplyLoss, 2, 3));
    for other in [
        draw(2, Stream::ReplyLoss, 2, 3),
        draw(1, Stream::RequestLoss, 2, 3),
        draw(1, Stream::ReplyLoss, 3, 3),
        draw(1, Stream::ReplyLoss, 2, 4),
        draw(1, Stream::ReplyLoss, 3, 2),
    ] {
        assert_ne!(first, other);
    }
}

#[test]
fn a_share_is_rounded_to_the_nearest_and_ties_go_up() {
    let share = |percent: u32, of| Take::Share(percent * 10_000_000).of(of);
    assert_eq!(share(50, 5), 3);
    assert_eq!(share(49, 5), 2);
    assert_eq!(share(16, 100), 16);
    assert_eq!(share(0, 100), 0);
    assert_eq!(share(100, 7), 7);
    assert_eq!(Take::Count(9).of(7), 7);
}

fn hosts(range: std::ops::Range<usize>) -> Vec<HostId> {
    range.map(HostId::new).collect()
}

#[test]
fn a_random_pick_keeps_its_preferences_when_others_do_not_qualify() {
    let selection =
        Selection { hosts: hosts(0..100), take: Some(Take::Count(10)), pick: Pick::Random };
    let all = selection.resolve(&STREAMS, 3, |_| true);
    assert_eq!(all.len(), 10);
    assert!(all.is_sorted(), "in the order of the selection");
    assert_ne!(all, selection.resolve(&STREAMS, 4, |_| true), "another entry, another pick");
    let absent = all[0];
    let without = selection.resolve(&STREAMS, 3, |host| host != absent);
    assert_eq!(without.len(), 10);
    assert!(all[1..].iter().all(|host| without.contains(host)));
}

#[test]
fn first_and_last_take_from_the_ends() {
    let pick = |pick| {
        let selection = Selection { hosts: hosts(0..9), take: Some(Take::Count(2)), pick };
        selection.resolve(&STREAMS, 0, |host| host.index() % 2 == 1)
    };
    assert_eq!(pick(Pick::First), [1, 3].map(HostId::new));
    assert_eq!(pick(Pick::Last), [5, 7].map(HostId::new));
}

#[test]
fn a_set_and_its_complement_are_all() {
    let set: HostSet = [0, 63, 64, 130].map(HostId::new).into_iter().collect();
    assert_eq!(set.len(), 4);
    let rest = set.complement(131);
    assert_eq!(rest.len(), 127);
    assert!(set.iter().all(|host| !rest.contains(host)));
    assert!(!set.contains(HostId::new(100_000)));
}

/// Host 0 to host 1, and what a message between them meets.
fn fate(network: &Network) -> Fate {
    let (from, to) = (HostId::new(0), HostId::new(1));
    network.fate(&STREAMS, (from, to), (from, 0, Leg::Request))
}

fn network() -> Network {
    Network::new(NetworkSetup {
        in_order: false,
        latency: Latency::Fixed(Span::from_millis(2)),
        loss: Loss::NONE,
        links: Vec::new(),
        dead_hosts_are_black_holes: false,
        accept_queue: None,
    })
}

fn one_way(from: usize, to: usize) -> Cut {
    Cut { from: only(from), to: only(to), both_ways: false }
}

fn only(host: usize) -> HostSet {
    [HostId::new(host)].into_iter().collect()
}

#[test]
fn faults_hit_one_direction_and_end_with_their_entry() {
    let mut network = network();
    assert_eq!(fate(&network), Fate::Arrives(Span::from_millis(2)));
    network.begin(7, one_way(1, 0), Effect::Cut(CutMode::Blackhole));
    assert_eq!(fate(&network), Fate::Arrives(Span::from_millis(2)), "the other way");
    network.begin(7, one_way(0, 1), Effect::Cut(CutMode::Refuse));
    assert_eq!(fate(&network), Fate::Cut(CutMode::Refuse, Span::from_millis(2)));
    assert!(!network.end(6));
    assert!(network.end(7));
    assert_eq!(fate(&network), Fate::Arrives(Span::from_millis(2)));
}

#[test]
fn a_cut_beats_a_loss_beats_a_hold_and_slowness_is_added_to_all() {
    let mut network = network();
    network.begin(1, one_way(0, 1), Effect::Slow(Span::from_millis(50)));
    assert_eq!(fate(&network), Fate::Arrives(Span::from_millis(52)));
    network.begin(2, one_way(0, 1), Effect::Hold);
    assert_eq!(fate(&network), Fate::Held(2, Span::from_millis(52)));
    network.begin(3, one_way(0, 1), Effect::Lossy(Loss::share(1.0)));
    assert_eq!(fate(&network), Fate::Lost);
    network.begin(4, one_way(0, 1), Effect::Cut(CutMode::Blackhole));
    assert_eq!(fate(&network), Fate::Cut(CutMode::Blackhole, Span::from_millis(52)));
}

/// Between `all` and `all` a message is on both sides of the fault.
#[test]
fn a_fault_of_both_directions_concerns_a_message_once() {
    let both = |from: &[usize], to: &[usize]| {
        let set = |hosts: &[usize]| hosts.iter().copied().map(HostId::new).collect();
        Cut { from: set(from), to: set(to), both_ways: true }
    };
    for cut in [both(&[0, 1], &[0, 1]), both(&[0, 1], &[1]), both(&[1], &[0])] {
        let mut network = network();
        network.begin(1, cut, Effect::Slow(Span::from_millis(50)));
        assert_eq!(fate(&network), Fate::Arrives(Span::from_millis(52)));
    }
}

#[test]
fn of_several_exceptions_for_a_link_the_last_wins() {
    let link = |latency| LinkException {
        from: only(0),
        to: only(1),
        latency: Some(Latency::Fixed(Span::from_millis(latency))),
        loss: None,
    };
    let mut setup = network().setup().clone();
    setup.links = vec![link(10), link(30)];
    assert_eq!(fate(&Network::new(setup)), Fate::Arrives(Span::from_millis(30)));
}

#[test]
fn messages_of_a_link_overtake_each_other_unless_they_arrive_in_order() {
    let (there, back) = ((HostId::new(0), HostId::new(1)), (HostId::new(1), HostId::new(0)));
    let millis = |millis: u64| Span::from_millis(millis);
    let arrivals = |in_order: bool| {
        let mut network = Network::new(NetworkSetup { in_order, ..network().setup().clone() });
        let mut arrival = |link, sent: u64, takes: u64| {
            let at = network.arrival(link, Instant::ZERO + millis(sent), millis(takes));
            at.nanos() / 1_000_000
        };
        [
            arrival(there, 0, 100),
            arrival(there, 10, 5),
            arrival(back, 10, 5),
            arrival(there, 20, 90),
            arrival(there, 21, 1),
        ]
    };
    assert_eq!(arrivals(false), [100, 15, 15, 110, 22]);
    assert_eq!(arrivals(true), [100, 100, 15, 110, 110]);
}

#[test]
fn the_digest_depends_on_every_word_and_their_order() {
    let of = |words: &[u64]| {
        let mut digest = Digest::default();
        let fact = digest.fact(1, 2);
        words.iter().fold(fact, |fact, &word| fact.word(word));
        digest.value()
    };
    assert_eq!(of(&[1, 2]), of(&[1, 2]));
    for other in [&[2, 1][..], &[1, 2, 0], &[1], &[1, 3]] {
        assert_ne!(of(&[1, 2]), of(other), "{other:?}");
    }
    assert_eq!(of(&[]).to_string().len(), 32);
}

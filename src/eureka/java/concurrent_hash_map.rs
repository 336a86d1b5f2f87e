//! The iteration order of `java.util.concurrent.ConcurrentHashMap` under single-threaded use.
//!
//! Only keys are kept (as dense numbers; whoever uses the map keeps values by key): bins, resizes
//! and trees are the JDK's, so that iterating gives Java's order exactly. Left out: the resize
//! triggers that a contended multi-threaded JVM may skip.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::tree_bin::TreeBin;

/// No node.
const NIL: u32 = u32::MAX;
/// `TREEIFY_THRESHOLD`: a list bin of this many nodes becomes a tree (or the table grows).
const TREEIFY: u32 = 8;
/// `UNTREEIFY_THRESHOLD`: a half of a split tree with so few nodes becomes a list.
const UNTREEIFY: usize = 6;
/// `MIN_TREEIFY_CAPACITY`: below this table length the table grows instead.
const MIN_TREEIFY_CAPACITY: usize = 64;
const INITIAL_CAPACITY: usize = 16;

/// What the map needs to know about its keys.
pub trait Keys {
    /// `ConcurrentHashMap.spread(key.hashCode())`.
    fn hash(&self, key: u32) -> u32;
    /// `key.compareTo(other)`; different keys never compare equal.
    fn compare(&self, a: u32, b: u32) -> Ordering;
}

#[derive(Clone, Copy, Debug)]
struct Node {
    key: u32,
    hash: u32,
    next: u32,
}

/// The keys of a `new ConcurrentHashMap<>()`, in Java's order.
#[derive(Clone, Debug, Default)]
pub struct ConcurrentHashMap {
    nodes: Vec<Node>,
    free: Vec<u32>,
    /// The first node of each bin; empty before the first insertion.
    table: Vec<u32>,
    /// The trees of the bins that have one.
    trees: BTreeMap<usize, TreeBin>,
    len: usize,
}

impl ConcurrentHashMap {
    /// How many keys are in it.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether no key is in it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// `put(key, …)`: true if the key is new. Overwriting moves nothing, but a long bin becomes a
    /// tree (or the table grows) all the same, as in Java.
    pub fn insert(&mut self, keys: &impl Keys, key: u32) -> bool {
        if self.table.is_empty() {
            self.table = vec![NIL; INITIAL_CAPACITY];
        }
        let hash = keys.hash(key);
        let bin = self.bin(hash);
        let is_new = if self.trees.contains_key(&bin) {
            self.insert_into_tree(keys, bin, key, hash)
        } else {
            self.insert_into_list(keys, bin, key, hash)
        };
        if is_new {
            self.len += 1;
            while self.len >= size_control(self.table.len()) {
                self.transfer(keys);
            }
        }
        is_new
    }

    /// `remove(key)`: true if it was there. The table never shrinks.
    pub fn remove(&mut self, keys: &impl Keys, key: u32) -> bool {
        if self.table.is_empty() {
            return false;
        }
        let bin = self.bin(keys.hash(key));
        let (mut before, mut at) = (NIL, self.table[bin]);
        while at != NIL && self.nodes[at as usize].key != key {
            (before, at) = (at, self.nodes[at as usize].next);
        }
        if at == NIL {
            return false;
        }
        let next = self.nodes[at as usize].next;
        match before {
            NIL => self.table[bin] = next,
            _ => self.nodes[before as usize].next = next,
        }
        self.free.push(at);
        self.len -= 1;
        if let Some(tree) = self.trees.get_mut(&bin) {
            if self.table[bin] == NIL || tree.is_too_small() {
                self.trees.remove(&bin);
            } else {
                tree.remove(keys, key);
            }
        }
        true
    }

    /// The keys in iteration order.
    #[must_use]
    pub fn iter(&self) -> Iter<'_> {
        Iter { map: self, bin: 0, at: NIL }
    }

    /// The length of the table, for tests against the JDK's.
    #[must_use]
    pub fn table_len(&self) -> usize {
        self.table.len()
    }

    fn bin(&self, hash: u32) -> usize {
        hash as usize & (self.table.len() - 1)
    }

    fn insert_into_list(&mut self, keys: &impl Keys, bin: usize, key: u32, hash: u32) -> bool {
        let (mut last, mut at, mut walked) = (NIL, self.table[bin], 0);
        while at != NIL {
            walked += 1;
            if self.nodes[at as usize].key == key {
                break;
            }
            (last, at) = (at, self.nodes[at as usize].next);
        }
        let is_new = at == NIL;
        if is_new {
            let node = self.allocate(Node { key, hash, next: NIL });
            match last {
                NIL => self.table[bin] = node,
                _ => self.nodes[last as usize].next = node,
            }
        }
        if walked >= TREEIFY {
            self.treeify(keys, bin);
        }
        is_new
    }

    fn insert_into_tree(&mut self, keys: &impl Keys, bin: usize, key: u32, hash: u32) -> bool {
        if self.members(self.table[bin]).any(|member| member == key) {
            return false;
        }
        let node = self.allocate(Node { key, hash, next: self.table[bin] });
        self.table[bin] = node;
        if let Some(tree) = self.trees.get_mut(&bin) {
            tree.insert(keys, key);
        }
        true
    }

    /// `treeifyBin`, with the `tryPresize` of small tables.
    fn treeify(&mut self, keys: &impl Keys, bin: usize) {
        let len = self.table.len();
        if len < MIN_TREEIFY_CAPACITY {
            let wanted = (2 * len + len + 1).next_power_of_two();
            while wanted > size_control(self.table.len()) {
                self.transfer(keys);
            }
        } else {
            let tree = TreeBin::build(keys, self.members(self.table[bin]));
            self.trees.insert(bin, tree);
        }
    }

    /// `transfer`: the table doubles.
    fn transfer(&mut self, keys: &impl Keys) {
        let len = self.table.len();
        self.table.resize(2 * len, NIL);
        let mut trees = std::mem::take(&mut self.trees);
        for bin in 0..len {
            match trees.remove(&bin) {
                Some(tree) => self.split_tree(keys, bin, len, tree),
                None => self.split_list(bin, len),
            }
        }
    }

    /// The longest tail that goes to one half keeps its order; what is before it is pushed on the
    /// front of its half, one by one.
    fn split_list(&mut self, bin: usize, len: usize) {
        let head = self.table[bin];
        if head == NIL {
            return;
        }
        let half = |node: &Node| usize::from(node.hash as usize & len != 0);
        let (mut tail, mut at) = (head, head);
        while at != NIL {
            let node = &self.nodes[at as usize];
            if half(node) != half(&self.nodes[tail as usize]) {
                tail = at;
            }
            at = node.next;
        }
        let mut heads = [NIL; 2];
        heads[half(&self.nodes[tail as usize])] = tail;
        at = head;
        while at != tail {
            let next = self.nodes[at as usize].next;
            let side = half(&self.nodes[at as usize]);
            self.nodes[at as usize].next = heads[side];
            heads[side] = at;
            at = next;
        }
        [self.table[bin], self.table[bin + len]] = heads;
    }

    /// Both halves keep their order; a small one becomes a list, and a whole one keeps its tree.
    fn split_tree(&mut self, keys: &impl Keys, bin: usize, len: usize, tree: TreeBin) {
        let members: Vec<u32> = self.nodes_from(self.table[bin]).collect();
        let (low, high): (Vec<u32>, Vec<u32>) =
            members.into_iter().partition(|&at| self.nodes[at as usize].hash as usize & len == 0);
        let whole = low.is_empty() || high.is_empty();
        let mut tree = Some(tree);
        for (bin, half) in [(bin, low), (bin + len, high)] {
            self.table[bin] = half.first().copied().unwrap_or(NIL);
            for (position, &at) in half.iter().enumerate() {
                self.nodes[at as usize].next = half.get(position + 1).copied().unwrap_or(NIL);
            }
            if half.len() > UNTREEIFY {
                let kept = tree.take().filter(|_| whole);
                let members = half.iter().map(|&at| self.nodes[at as usize].key);
                let tree = kept.unwrap_or_else(|| TreeBin::build(keys, members));
                self.trees.insert(bin, tree);
            }
        }
    }

    fn allocate(&mut self, node: Node) -> u32 {
        if let Some(index) = self.free.pop() {
            self.nodes[index as usize] = node;
            return index;
        }
        self.nodes.push(node);
        self.nodes.len() as u32 - 1
    }

    fn nodes_from(&self, head: u32) -> impl Iterator<Item = u32> + '_ {
        let next = |at: u32| (at != NIL).then_some(at);
        std::iter::successors(next(head), move |&at| next(self.nodes[at as usize].next))
    }

    fn members(&self, head: u32) -> impl Iterator<Item = u32> + '_ {
        self.nodes_from(head).map(|at| self.nodes[at as usize].key)
    }
}

/// `sizeCtl` of a table: the number of keys at which it doubles.
const fn size_control(len: usize) -> usize {
    len - len / 4
}

/// The keys of a [`ConcurrentHashMap`] in Java's iteration order.
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    map: &'a ConcurrentHashMap,
    bin: usize,
    at: u32,
}

impl Iterator for Iter<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        while self.at == NIL {
            self.at = *self.map.table.get(self.bin)?;
            self.bin += 1;
        }
        let node = &self.map.nodes[self.at as usize];
        self.at = node.next;
        Some(node.key)
    }
}

impl<'a> IntoIterator for &'a ConcurrentHashMap {
    type Item = u32;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

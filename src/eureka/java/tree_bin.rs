//! The red-black tree inside one treeified bin of a `ConcurrentHashMap` (`TreeBin`).
//!
//! Iteration does not use the tree, but its *shape* decides when a shrinking bin turns back into a
//! plain list, and so where the next key goes. Insertion and deletion fix-up are the textbook ones
//! (Cormen, Leiserson, Rivest), as in the JDK; left and right are the two values of a side here.

use std::cmp::Ordering;

use super::concurrent_hash_map::Keys;

/// No node.
const NIL: u32 = u32::MAX;

#[derive(Clone, Copy, Debug)]
struct Node {
    key: u32,
    hash: u32,
    parent: u32,
    child: [u32; 2],
    red: bool,
}

/// A tree of keys ordered by (hash, `compareTo`).
#[derive(Clone, Debug)]
pub(super) struct TreeBin {
    nodes: Vec<Node>,
    free: Vec<u32>,
    root: u32,
}

impl TreeBin {
    /// `new TreeBin(TreeNode)`: the keys of a bin inserted in list order.
    pub(super) fn build(keys: &impl Keys, members: impl Iterator<Item = u32>) -> Self {
        let mut tree = Self { nodes: Vec::new(), free: Vec::new(), root: NIL };
        for key in members {
            tree.insert(keys, key);
        }
        tree
    }

    /// The tree part of `putTreeVal`, for a key that is not in it.
    pub(super) fn insert(&mut self, keys: &impl Keys, key: u32) {
        let hash = keys.hash(key);
        let (mut parent, mut side, mut at) = (NIL, 0, self.root);
        while at != NIL {
            let node = &self.nodes[at as usize];
            side =
                usize::from(order(keys, (hash, key), (node.hash, node.key)) == Ordering::Greater);
            parent = at;
            at = node.child[side];
        }
        let new = self.allocate(Node { key, hash, parent, child: [NIL; 2], red: parent != NIL });
        if parent == NIL {
            self.root = new;
        } else {
            self.nodes[parent as usize].child[side] = new;
            self.fix_insertion(new);
        }
    }

    /// Whether `removeTreeNode` finds the tree too small and turns the bin into a plain list
    /// instead of deleting from the tree.
    pub(super) fn is_too_small(&self) -> bool {
        let child = |node: u32, side: usize| match node {
            NIL => NIL,
            _ => self.nodes[node as usize].child[side],
        };
        child(self.root, 1) == NIL || child(child(self.root, 0), 0) == NIL
    }

    /// The tree part of `removeTreeNode`, for a key that is in it.
    pub(super) fn remove(&mut self, keys: &impl Keys, key: u32) {
        let mut doomed = self.find(keys, key);
        if self.nodes[doomed as usize].child.iter().all(|&child| child != NIL) {
            // Java swaps the node with its successor, colours included: the keys change places.
            let mut successor = self.nodes[doomed as usize].child[1];
            while self.nodes[successor as usize].child[0] != NIL {
                successor = self.nodes[successor as usize].child[0];
            }
            let (a, b) = (self.nodes[doomed as usize], self.nodes[successor as usize]);
            (self.nodes[doomed as usize].key, self.nodes[doomed as usize].hash) = (b.key, b.hash);
            (self.nodes[successor as usize].key, self.nodes[successor as usize].hash) =
                (a.key, a.hash);
            doomed = successor;
        }
        let node = self.nodes[doomed as usize];
        let replacement = if node.child[0] == NIL { node.child[1] } else { node.child[0] };
        if replacement == NIL {
            if !node.red {
                self.fix_deletion(doomed);
            }
            let parent = self.nodes[doomed as usize].parent;
            self.relink(parent, doomed, NIL);
        } else {
            self.relink(node.parent, doomed, replacement);
            if !node.red {
                self.fix_deletion(replacement);
            }
        }
        self.free.push(doomed);
    }

    fn find(&self, keys: &impl Keys, key: u32) -> u32 {
        let hash = keys.hash(key);
        let mut at = self.root;
        loop {
            let node = &self.nodes[at as usize];
            match order(keys, (hash, key), (node.hash, node.key)) {
                Ordering::Equal => return at,
                Ordering::Less => at = node.child[0],
                Ordering::Greater => at = node.child[1],
            }
        }
    }

    fn fix_insertion(&mut self, mut at: u32) {
        while self.is_red(self.parent(at)) {
            let parent = self.parent(at);
            let grandparent = self.parent(parent);
            let side = self.side_of(parent);
            let uncle = self.child(grandparent, 1 - side);
            if self.is_red(uncle) {
                self.paint(parent, false);
                self.paint(uncle, false);
                self.paint(grandparent, true);
                at = grandparent;
            } else {
                let mut top = parent;
                if self.side_of(at) != side {
                    self.rotate(parent, side);
                    top = at;
                    at = parent;
                }
                self.paint(top, false);
                self.paint(grandparent, true);
                self.rotate(grandparent, 1 - side);
            }
        }
        self.paint(self.root, false);
    }

    fn fix_deletion(&mut self, mut at: u32) {
        while at != self.root && !self.is_red(at) {
            let parent = self.parent(at);
            let side = self.side_of(at);
            let mut sibling = self.child(parent, 1 - side);
            if self.is_red(sibling) {
                self.paint(sibling, false);
                self.paint(parent, true);
                self.rotate(parent, side);
                sibling = self.child(parent, 1 - side);
            }
            let far_red = self.is_red(self.child(sibling, 1 - side));
            if !far_red && !self.is_red(self.child(sibling, side)) {
                self.paint(sibling, true);
                at = parent;
                continue;
            }
            if !far_red {
                let near = self.child(sibling, side);
                self.paint(near, false);
                self.paint(sibling, true);
                self.rotate(sibling, 1 - side);
                sibling = near;
            }
            let colour = self.is_red(parent);
            self.paint(sibling, colour);
            self.paint(self.child(sibling, 1 - side), false);
            self.paint(parent, false);
            self.rotate(parent, side);
            at = self.root;
        }
        self.paint(at, false);
    }

    /// `node` goes down to `side`; its child of the other side takes its place.
    fn rotate(&mut self, node: u32, side: usize) {
        let riser = self.child(node, 1 - side);
        let inner = self.child(riser, side);
        let parent = self.parent(node);
        self.relink(parent, node, riser);
        self.nodes[riser as usize].child[side] = node;
        self.nodes[node as usize].parent = riser;
        self.nodes[node as usize].child[1 - side] = inner;
        if inner != NIL {
            self.nodes[inner as usize].parent = node;
        }
    }

    /// Makes `new` the child of `parent` (or the root) in the place of `old`.
    fn relink(&mut self, parent: u32, old: u32, new: u32) {
        if parent == NIL {
            self.root = new;
        } else {
            let side = usize::from(self.child(parent, 1) == old);
            self.nodes[parent as usize].child[side] = new;
        }
        if new != NIL {
            self.nodes[new as usize].parent = parent;
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

    fn parent(&self, node: u32) -> u32 {
        self.nodes[node as usize].parent
    }

    fn child(&self, node: u32, side: usize) -> u32 {
        self.nodes[node as usize].child[side]
    }

    fn side_of(&self, node: u32) -> usize {
        usize::from(self.child(self.parent(node), 1) == node)
    }

    fn is_red(&self, node: u32) -> bool {
        node != NIL && self.nodes[node as usize].red
    }

    fn paint(&mut self, node: u32, red: bool) {
        self.nodes[node as usize].red = red;
    }
}

fn order(keys: &impl Keys, a: (u32, u32), b: (u32, u32)) -> Ordering {
    a.0.cmp(&b.0).then_with(|| keys.compare(a.1, b.1))
}

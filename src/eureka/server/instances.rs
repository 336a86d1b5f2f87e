//! The instances of an application in a payload.
//!
//! A registry copies all of them at once, and in a fleet that runs nobody reads most of its payloads.
//! Whoever reads one keeps single instances of it, so it is then that each becomes a shared object.

use std::ops::Deref;
use std::sync::{Arc, LazyLock};

use crate::eureka::InstanceInfo;

type Shared = Vec<Arc<InstanceInfo>>;

/// Instances in the order of a payload, each shared; made so when they are first read.
#[derive(Debug)]
pub struct Instances(LazyLock<Shared, Box<dyn FnOnce() -> Shared + Send>>);

impl Instances {
    /// Copies of which nobody has read any.
    #[must_use]
    pub fn copied(copies: Vec<InstanceInfo>) -> Self {
        Self(LazyLock::new(Box::new(|| copies.into_iter().map(Arc::new).collect())))
    }
}

impl From<Shared> for Instances {
    fn from(shared: Shared) -> Self {
        Self(LazyLock::new(Box::new(|| shared)))
    }
}

impl Deref for Instances {
    type Target = [Arc<InstanceInfo>];

    fn deref(&self) -> &[Arc<InstanceInfo>] {
        &self.0
    }
}

impl Clone for Instances {
    fn clone(&self) -> Self {
        self.to_vec().into()
    }
}

impl PartialEq for Instances {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Instances {}

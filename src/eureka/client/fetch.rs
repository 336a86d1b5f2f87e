//! `DiscoveryClient.fetchRegistry(boolean)` under its supervisor.

use std::sync::Arc;

use super::event::{ClientEvent, Supervised, Which};
use super::job::{JobId, Step, Worker};
use super::view::ViewId;
use super::{ClientProcess, Cx, Effect, Phase};
use crate::eureka::server::Applications;

impl ClientProcess {
    /// Full, as long as nothing is known (or deltas are disabled); else a delta.
    pub(super) fn first_fetch_step(&self, cx: &Cx<'_>) -> Step {
        let view = cx.views.get(self.client.view);
        let config = &cx.profile.client;
        let only_full = config.disable_delta || cx.profile.single_vip.is_some();
        if only_full || view.apps.is_empty() || view.version == -1 {
            Step::FetchFull(self.client.generation)
        } else {
            Step::FetchDelta(self.client.generation)
        }
    }

    /// `getAndStoreFullRegistry`: stored unless another fetch was faster, or there is no body.
    #[cold]
    pub(super) fn fetched_full(
        &mut self,
        cx: &mut Cx<'_>,
        id: JobId,
        generation: u32,
        code: u16,
        body: Option<Arc<Applications>>,
    ) {
        match body.filter(|_| code == 200) {
            None => cx.tell(ClientEvent::FullBodyNull),
            Some(body) => {
                if self.next_generation(cx, generation) {
                    let view = cx.views.full(&body);
                    self.see(cx, view);
                }
            }
        }
        self.fetch_succeeded(cx, id);
    }

    /// `getAndUpdateDelta`: a refused delta (403, 404) is followed by a full fetch at once, and so is
    /// one after which the hashes differ.
    #[inline(always)]
    pub(super) fn fetched_delta(
        &mut self,
        cx: &mut Cx<'_>,
        id: JobId,
        generation: u32,
        code: u16,
        body: Option<Arc<Applications>>,
    ) {
        let Some(delta) = body.filter(|_| code == 200) else {
            return self.delta_refused(cx, id);
        };
        if !self.next_generation(cx, generation) {
            self.fetch_succeeded(cx, id);
            return;
        }
        let (view, fits) = cx.views.with_delta(self.client.view, &delta);
        self.see(cx, view);
        if !fits || cx.profile.client.log_delta_diff {
            cx.tell(ClientEvent::HashMismatch);
            let step = Step::Reconcile(self.client.generation, delta.version);
            self.next_call(cx, id, step);
        } else {
            self.fetch_succeeded(cx, id);
        }
    }

    #[cold]
    fn delta_refused(&mut self, cx: &mut Cx<'_>, id: JobId) {
        cx.tell(ClientEvent::DeltaRefused);
        let step = Step::FetchFull(self.client.generation);
        self.next_call(cx, id, step);
    }

    /// `reconcileAndLogDifference`: the registry is replaced, and gets the delta's version.
    #[cold]
    pub(super) fn reconciled(
        &mut self,
        cx: &mut Cx<'_>,
        id: JobId,
        (generation, version): (u32, i64),
        code: u16,
        body: Option<Arc<Applications>>,
    ) {
        match body.filter(|_| code == 200) {
            None => cx.tell(ClientEvent::ReconcileBodyNull),
            Some(body) => {
                if self.next_generation(cx, generation) {
                    let view = cx.views.reconciled(&body, version);
                    self.see(cx, view);
                }
            }
        }
        self.fetch_succeeded(cx, id);
    }

    /// `fetchRegistryGeneration.compareAndSet(generation, generation + 1)`.
    fn next_generation(&mut self, cx: &mut Cx<'_>, generation: u32) -> bool {
        let unchanged = self.client.generation == generation;
        self.client.generation = self.client.generation.wrapping_add(u32::from(unchanged));
        if !unchanged {
            cx.tell(ClientEvent::GenerationLost);
        }
        unchanged
    }

    /// The local registry becomes `view`, whose hold is taken over.
    #[inline(always)]
    fn see(&mut self, cx: &mut Cx<'_>, view: ViewId) {
        let old = std::mem::replace(&mut self.client.view, view);
        self.client.remote_is_of_view &= old == view;
        if old == view || self.client.which == Which::Second {
            // What a second client believes nobody looks at.
            cx.views.release(old);
            return;
        }
        cx.out.push(Effect::View { old, new: view });
    }

    /// The end of a fetch that raised nothing. Its last step, `updateInstanceRemoteStatus()`, is
    /// synchronized like `shutdown()`: while that runs the thread waits for it.
    #[inline(always)]
    fn fetch_succeeded(&mut self, cx: &mut Cx<'_>, id: JobId) {
        cx.tell_routine(ClientEvent::CacheRefreshed);
        if matches!(self.client.phase, Phase::StoppingReplicator | Phase::Unregistering) {
            self.client.rare().blocked.push(id);
        } else {
            self.update_instance_remote_status(cx, id);
        }
    }

    /// `updateInstanceRemoteStatus()`
    #[inline(always)]
    pub(super) fn update_instance_remote_status(&mut self, cx: &mut Cx<'_>, id: JobId) {
        // Nearly always the view is the one that was asked last.
        if !std::mem::replace(&mut self.client.remote_is_of_view, true) {
            self.ask_view_for_remote_status(cx);
        }
        if cx.jobs.get(id).worker == Worker::Application {
            cx.jobs.remove(id);
            self.fetched_at_init(cx, true);
        } else {
            cx.tell_routine(ClientEvent::RefreshSucceeded);
            self.run_ended(cx, Supervised::CacheRefresh, id);
        }
    }

    #[cold]
    fn ask_view_for_remote_status(&mut self, cx: &mut Cx<'_>) {
        let status = cx.views.get(self.client.view).status_of(self.key);
        let before = std::mem::replace(&mut self.client.remote, status);
        if before != status {
            cx.tell(ClientEvent::RemoteStatus(before, status));
        }
    }

    /// The fetch raised an exception.
    pub(super) fn fetch_failed(&mut self, cx: &mut Cx<'_>, id: JobId) {
        if cx.jobs.get(id).worker == Worker::Application {
            cx.jobs.remove(id);
            self.fetched_at_init(cx, false);
        } else {
            self.run_ended(cx, Supervised::CacheRefresh, id);
        }
    }
}

//! What servers execute: requests of clients, batches of peers, calls from outside the cluster.

use super::super::call::{CallId, Message, request_fact};
use super::super::fact::{Fact, Observer, OperationKind, Party, Reply, RequestFact, RequestLine};
use super::super::host::HostId;
use super::super::queue::EventQueue;
use super::{Event, World};
use crate::eureka::client::{ErrorBody, Request};
use crate::eureka::server::resources::{self, Answer, BatchItem, DirtyParameter, StatusParameter};
use crate::eureka::server::{At, Registry};
use crate::eureka::{InstanceInfo, InstanceKey};
use crate::sim::OutsideRequest;

impl<O: Observer, Q: EventQueue<Event>> World<'_, O, Q> {
    /// Executes a request that has arrived, and answers it.
    #[inline(always)]
    pub(super) fn execute(&mut self, id: CallId) {
        let call = self.calls.get(id);
        let (server, caller) = (call.target, call.caller);
        let answer = match std::mem::take(&mut call.message) {
            Message::Request(request) => {
                // Its process may be gone, and another instance run in its place.
                let key = call.line.and_then(RequestLine::key).unwrap_or(self.key_of(caller));
                self.execute_request(server, caller, key, request)
            }
            Message::Batch(items) => self.execute_batch(server, caller, items),
            Message::None
            | Message::Answer { .. }
            | Message::BatchAnswer { .. }
            | Message::Failure(_) => return,
        };
        self.reply(id, answer);
        self.arm_queues(server);
    }

    #[inline(always)]
    fn execute_request(
        &mut self,
        server: HostId,
        from: HostId,
        key: InstanceKey,
        request: Request,
    ) -> Message {
        let setup = self.setup;
        let at = At { now: self.now_at(server), names: &setup.names };
        let Some(core) = &mut self.servers[server.index()].core else {
            return self.error(503);
        };
        let registry = &mut core.registry;
        let absent = StatusParameter::Absent;
        let (code, body) = match &request {
            Request::Heartbeat { dirty, .. } => {
                let dirty = dirty.map_or(DirtyParameter::Absent, DirtyParameter::Value);
                (resources::renew(registry, at, key, dirty, absent, false).code, None)
            }
            Request::Register(info) => (register(registry, at, info), None),
            Request::Cancel => (resources::cancel(registry, at, key, false), None),
            Request::Get(what) => match resources::fetch(registry, at, *what) {
                Ok(payload) => (200, Some(payload)),
                Err(code) => (code, None),
            },
        };
        let fact = request_fact(key, &request);
        if O::WANTS_OPERATIONS {
            let reply = match &body {
                Some(payload) => Reply::Payload(payload),
                None => Reply::Answer(Answer { code, instance: None }),
            };
            self.operation(server, &OperationKind::Request(&fact, &reply));
        }
        let from = Party::Host(from);
        let bytes = body.as_ref().map_or(0, |payload| payload.json_bytes(&setup.names));
        self.emit(&Fact::Request { server, from, request: fact, code, bytes });
        if let (Request::Heartbeat { .. }, true) = (&request, self.was_renewed(server)) {
            self.emit(&Fact::Renewed { server, key, replica: false });
        }
        self.after_operation(server);
        Message::Answer { code, body, error_body: self.error_body(code) }
    }

    /// Whether the heartbeat just executed renewed a lease: it is in the minute's count then.
    fn was_renewed(&mut self, server: HostId) -> bool {
        let process = &mut self.servers[server.index()];
        process.core.as_mut().is_some_and(|core| core.registry.take_renewed())
    }

    #[inline(never)]
    fn execute_batch(
        &mut self,
        server: HostId,
        from: HostId,
        mut items: Vec<BatchItem>,
    ) -> Message {
        let setup = self.setup;
        let at = At { now: self.now_at(server), names: &setup.names };
        let copies: Vec<BatchItem> = if O::WANTS_OPERATIONS { items.clone() } else { Vec::new() };
        let mut answers = std::mem::take(&mut self.answers);
        answers.clear();
        let mut renewed = std::mem::take(&mut self.renewed);
        let Some(core) = &mut self.servers[server.index()].core else {
            return self.error(503);
        };
        let mut rest = items.drain(..);
        while !rest.as_slice().is_empty() {
            let next = rest.as_slice().iter().take(Registry::TOUCHED_AHEAD);
            core.registry.touch(next.map(|item| item.key));
            for item in rest.by_ref().take(Registry::TOUCHED_AHEAD) {
                let key = item.key;
                answers.push(resources::batch_item(&mut core.registry, at, item));
                if core.registry.take_renewed() {
                    renewed.push(key);
                }
            }
        }
        drop(rest);
        let registry = &core.registry;
        let entity = |answer: &Answer| {
            answer.instance.map(|info| Box::new(registry.objects()[info].clone()))
        };
        let results = answers.iter().map(|answer| (answer.code, entity(answer))).collect();
        if O::WANTS_OPERATIONS {
            self.operation(server, &OperationKind::Batch(&copies, &answers));
        }
        if let Some(core) = &mut self.servers[server.index()].core {
            for info in answers.iter().filter_map(|answer| answer.instance) {
                core.registry.objects_mut().release_info(info);
            }
        }
        self.answers = answers;
        self.items.push(items);
        let (from, request) = (Party::Host(from), RequestFact::Batch);
        self.emit(&Fact::Request { server, from, request, code: 200, bytes: 0 });
        for key in renewed.drain(..) {
            self.emit(&Fact::Renewed { server, key, replica: true });
        }
        self.renewed = renewed;
        self.after_operation(server);
        Message::BatchAnswer { code: 200, items: results }
    }

    /// Somebody outside the cluster asks; the answer goes nowhere.
    pub(super) fn execute_outside(&mut self, server: HostId, request: &OutsideRequest) {
        let setup = self.setup;
        let at = At { now: self.now_at(server), names: &setup.names };
        if !self.hosts[server.index()].listening {
            return;
        }
        let Some(core) = &mut self.servers[server.index()].core else {
            return;
        };
        let registry = &mut core.registry;
        let code = |code| Answer { code, instance: None };
        let mut payload = None;
        // The body is decoded when it is executed, by the clock that the server has then.
        let decoded = match request {
            OutsideRequest::Register(body, timestamps) => {
                Some(timestamps.decoded(body, at.now.wall))
            }
            _ => None,
        };
        let (answer, fact) = match request {
            OutsideRequest::Register(body, _) => {
                let body = decoded.as_ref().unwrap_or(body);
                (
                    code(resources::register(registry, at, body.clone(), false)),
                    RequestFact::Register(&body.info),
                )
            }
            OutsideRequest::Heartbeat(key, dirty, overridden) => (
                resources::renew(registry, at, *key, *dirty, *overridden, false),
                RequestFact::Heartbeat { key: *key, status: None, dirty: *dirty },
            ),
            OutsideRequest::Cancel(key) => {
                (code(resources::cancel(registry, at, *key, false)), RequestFact::Cancel(*key))
            }
            OutsideRequest::StatusUpdate(key, value, dirty) => (
                code(resources::status_update(registry, at, *key, *value, *dirty, false)),
                RequestFact::StatusUpdate { key: *key, value: *value, dirty: *dirty },
            ),
            OutsideRequest::DeleteStatus(key, value, dirty) => (
                code(resources::delete_status_update(registry, at, *key, *value, *dirty, false)),
                RequestFact::DeleteStatus { key: *key, value: *value, dirty: *dirty },
            ),
            OutsideRequest::Metadata(key, entries) => {
                let entries = entries.iter().cloned().collect();
                (
                    code(resources::update_metadata(registry, at, *key, &entries)),
                    RequestFact::Metadata(*key),
                )
            }
            OutsideRequest::Get(what) => {
                let answer = match resources::fetch(registry, at, *what) {
                    Ok(found) => {
                        payload = Some(found);
                        code(200)
                    }
                    Err(refused) => code(refused),
                };
                (answer, RequestFact::Get(*what))
            }
            OutsideRequest::GetInstance(key) => {
                (resources::get_instance(registry, at, *key), RequestFact::GetInstance(*key))
            }
            OutsideRequest::GetById(id) => {
                (resources::get_instance_by_id(registry, at, *id), RequestFact::GetById(*id))
            }
        };
        let renewed = registry.take_renewed();
        let reply = payload.as_deref().map_or(Reply::Answer(answer), Reply::Payload);
        match request {
            OutsideRequest::Metadata(key, entries) => {
                let entries: Vec<_> =
                    entries.iter().map(|(key, value)| (&**key, &**value)).collect();
                self.operation(server, &OperationKind::Metadata(*key, &entries, answer.code));
            }
            OutsideRequest::Register(body, _) => {
                let body = decoded.as_ref().unwrap_or(body);
                self.operation(server, &OperationKind::Register(body, answer.code));
            }
            _ => self.operation(server, &OperationKind::Request(&fact, &reply)),
        }
        let (from, code) = (Party::Outside, answer.code);
        let bytes = payload.as_ref().map_or(0, |payload| payload.json_bytes(&setup.names));
        self.emit(&Fact::Request { server, from, request: fact, code, bytes });
        if let (OutsideRequest::Heartbeat(key, ..), true) = (request, renewed) {
            self.emit(&Fact::Renewed { server, key: *key, replica: false });
        }
        self.after_operation(server);
        self.arm_server(server);
    }

    fn error(&self, code: u16) -> Message {
        Message::Answer { code, body: None, error_body: self.error_body(code) }
    }

    pub(super) fn error_body(&self, code: u16) -> ErrorBody {
        if code >= 400 { self.setup.error_bodies } else { ErrorBody::None }
    }
}

#[cold]
fn register(registry: &mut Registry, at: At<'_>, info: &InstanceInfo) -> u16 {
    let app = at.names.app_of(info.key);
    let registration = resources::Registration::complete(info.clone(), app);
    resources::register(registry, at, registration, false)
}

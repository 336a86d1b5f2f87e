//! What a stub sees of a client's HTTP library: headers and entities, connections, redirects.

use serde_json::{Value, json};

use crate::eureka::client::{EndpointClientId, HttpClientKind};
use crate::golden::client::Location;

/// What the JDK asks for if nobody says what to accept.
const JDK_ACCEPT: &str = "text/html, image/gif, image/jpeg, */*; q=0.2";
/// Longer than this the JDK keeps no idle connection (ns).
const JDK_KEEPS_IDLE: u64 = 5_000_000_000;
/// After so many redirects of one request a library gives it up (the JDK: 20; Apache: 50).
const MOST_REDIRECTS: u8 = 20;

/// The library of a client.
#[derive(Clone, Copy, Debug)]
pub(super) struct Library {
    pub(super) kind: HttpClientKind,
    /// `eureka.client.allow-redirects`
    pub(super) allow_redirects: bool,
}

impl Library {
    /// Those that were measured over real HTTP.
    pub(super) const IMITATED: [HttpClientKind; 3] =
        [HttpClientKind::Jersey1, HttpClientKind::Jersey3, HttpClientKind::RestClient];

    /// Adds to a request line what the library says beside it.
    pub(super) fn dress(self, line: &mut Value) {
        let method = line["method"].as_str().unwrap_or_default().to_owned();
        let json = json!("application/json");
        let default = match self.kind {
            HttpClientKind::Jersey3 => json!(JDK_ACCEPT),
            _ => Value::Null,
        };
        let accept = match (self.kind, method.as_str()) {
            (_, "GET") => json.clone(),
            (HttpClientKind::Jersey3, "PUT" | "POST") => json.clone(),
            (HttpClientKind::Jersey1, "POST") => json.clone(),
            (HttpClientKind::RestClient, "PUT") => json.clone(),
            _ => default,
        };
        if method == "PUT" {
            let (body, content_type) = match self.kind {
                HttpClientKind::Jersey3 => ("{}", json),
                HttpClientKind::RestClient => ("", json),
                _ => ("", Value::Null),
            };
            line["body"] = json!(body);
            line["content-type"] = content_type;
        }
        line["accept"] = accept;
        if self.allow_redirects {
            match self.kind {
                HttpClientKind::Jersey1 => line["allow-redirect"] = json!("true"),
                // A list of one, written as Java writes lists.
                HttpClientKind::Jersey3 => line["allow-redirect"] = json!("[true]"),
                _ => {}
            }
        }
    }

    /// Whether the library follows a redirect of a request that was redirected so often already, or
    /// gives it up; nothing if it hands the redirect up.
    pub(super) fn follows(self, hops: u8) -> Option<bool> {
        let follows = self.kind.follows_redirects(self.allow_redirects);
        follows.then_some(hops < MOST_REDIRECTS)
    }

    /// The request line that follows a redirect: a POST becomes a GET without a word of its own,
    /// anything else stays as it is, but for the path and the query.
    pub(super) fn redirected(self, line: &Value, to: &Location) -> Value {
        if line["method"] == "POST" {
            let accept = match self.kind {
                HttpClientKind::Jersey3 => json!(JDK_ACCEPT),
                _ => Value::Null,
            };
            let server = format!("s{}", to.server);
            return json!({"server": server, "method": "GET", "path": to.path, "accept": accept});
        }
        let mut line = line.clone();
        line["server"] = json!(format!("s{}", to.server));
        line["path"] = json!(to.path);
        if let Some(fields) = line.as_object_mut() {
            fields.shift_remove("query");
        }
        line
    }

    /// Whether requests under way end when the transport is closed.
    pub(super) fn aborts_when_closed(self) -> bool {
        self.kind == HttpClientKind::Jersey1
    }

    /// Whether the connection on which a redirect came is closed when it is followed.
    pub(super) fn closes_redirected(self) -> bool {
        self.kind == HttpClientKind::Jersey3
    }
}

/// Which connections a request may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pool {
    /// Spring's `RestClient` makes an HTTP client, with connections of its own, for each client of an
    /// endpoint; Jersey has one for all.
    of: Option<EndpointClientId>,
    server: u16,
}

#[derive(Clone, Copy, Debug)]
struct Connection {
    number: u32,
    pool: Pool,
    /// ns; none while a request uses it.
    idle_since: Option<u64>,
}

/// The connections of a client.
#[derive(Debug, Default)]
pub(super) struct Connections {
    open: Vec<Connection>,
    made: u32,
}

impl Connections {
    /// A connection for a request: its number, and whether it was there already.
    pub(super) fn take(
        &mut self,
        now: u64,
        kind: HttpClientKind,
        client: Option<EndpointClientId>,
        server: u16,
    ) -> (u32, bool) {
        let kept = |since: u64| {
            kind != HttpClientKind::Jersey3 || now.saturating_sub(since) <= JDK_KEEPS_IDLE
        };
        self.open.retain(|connection| connection.idle_since.is_none_or(kept));
        let of = client.filter(|_| kind == HttpClientKind::RestClient);
        let pool = Pool { of, server };
        let idle = self.open.iter_mut().filter(|other| other.pool == pool);
        // The one that was used last.
        if let Some(connection) =
            idle.filter(|idle| idle.idle_since.is_some()).max_by_key(|idle| idle.idle_since)
        {
            connection.idle_since = None;
            return (connection.number, true);
        }
        self.made += 1;
        self.open.push(Connection { number: self.made, pool, idle_since: None });
        (self.made, false)
    }

    /// A request was answered: its connection is free.
    pub(super) fn give_back(&mut self, now: u64, number: u32) {
        for connection in self.open.iter_mut().filter(|open| open.number == number) {
            connection.idle_since = Some(now);
        }
    }

    pub(super) fn close(&mut self, number: u32) {
        self.open.retain(|connection| connection.number != number);
    }
}

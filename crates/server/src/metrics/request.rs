//! One request: its line in the log, and what it adds to the counters.

use std::net::IpAddr;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

/// Seconds: from a read in memory to the completion of a large upload elsewhere.
const BUCKETS: [f64; 12] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0, 300.0];

/// What a route tells of a request that nobody else can know. It travels with the answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Observed {
    /// The id of the key, or the subject of the token. Never the key itself.
    pub(crate) caller: Option<String>,
    /// Only a name that stands in the registry.
    pub(crate) function: Option<String>,
    /// `ok`, or the code it was refused with.
    pub(crate) outcome: Option<String>,
}

/// A request that was answered.
pub(crate) struct Request<'a> {
    pub(crate) id: &'a str,
    pub(crate) method: &'a Method,
    /// The template; a path may have a token in it.
    pub(crate) route: &'a str,
    pub(crate) status: StatusCode,
    /// Of the answer, where that is known before it is sent.
    pub(crate) bytes: Option<u64>,
    pub(crate) client: Option<IpAddr>,
    pub(crate) took: Duration,
    pub(crate) observed: &'a Observed,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RouteLabels {
    route: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct FunctionLabels {
    function: String,
    outcome: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct NameLabels {
    function: String,
}

fn histogram() -> Histogram {
    Histogram::new(BUCKETS)
}

/// The counters. Shared by all listeners.
pub(crate) struct Metrics {
    pub(super) registry: Registry,
    requests: Family<RequestLabels, Counter>,
    seconds: Family<RouteLabels, Histogram, fn() -> Histogram>,
    functions: Family<FunctionLabels, Counter>,
    function_seconds: Family<NameLabels, Histogram, fn() -> Histogram>,
}

impl Metrics {
    /// `register` adds what is asked for only when the numbers are.
    pub(crate) fn new<T>(register: impl FnOnce(&mut Registry) -> T) -> (Self, T) {
        let requests = Family::default();
        let seconds = Family::new_with_constructor(histogram as fn() -> Histogram);
        let functions = Family::default();
        let function_seconds = Family::new_with_constructor(histogram as fn() -> Histogram);
        let mut registry = Registry::with_prefix("dailies");
        registry.register("requests", "Requests answered", Family::clone(&requests));
        registry.register("request_seconds", "Until the answer's head", Family::clone(&seconds));
        registry.register("function_calls", "Calls of functions", Family::clone(&functions));
        registry.register(
            "function_seconds",
            "How long they ran",
            Family::clone(&function_seconds),
        );
        let build = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The program", build);
        let registered = register(&mut registry);
        (Self { registry, requests, seconds, functions, function_seconds }, registered)
    }

    /// Counts it and writes its line.
    pub(crate) fn request(&self, request: &Request<'_>) {
        let Request { route, status, observed, took, .. } = *request;
        let method = name(request.method);
        let labels = RequestLabels { method, route: route.to_owned(), status: status.as_u16() };
        self.requests.get_or_create(&labels).inc();
        let labels = RouteLabels { route: route.to_owned() };
        self.seconds.get_or_create(&labels).observe(took.as_secs_f64());
        if let (Some(function), Some(outcome)) = (&observed.function, &observed.outcome) {
            let labels = FunctionLabels { function: function.clone(), outcome: outcome.clone() };
            self.functions.get_or_create(&labels).inc();
            let labels = NameLabels { function: function.clone() };
            self.function_seconds.get_or_create(&labels).observe(took.as_secs_f64());
        }
        log(request, method);
    }
}

/// What changes something, or fails, is worth a line in any log; what only reads is for a closer
/// look.
fn log(request: &Request<'_>, method: &str) {
    let Request { id, route, status, bytes, client, took, observed, .. } = *request;
    let Observed { caller, function, outcome } = observed;
    let refused = outcome.as_deref().is_some_and(|outcome| outcome != "ok");
    let reads =
        matches!(method, "GET" | "HEAD" | "OPTIONS") || matches!(route, "/api/query" | "s3");
    let status = status.as_u16();
    let client = client.map(tracing::field::display);
    let milliseconds = took.as_micros() as f64 / 1000.0;
    macro_rules! line {
        ($level:ident) => {
            tracing::$level!(
                target: "dailies_server::request",
                request = id, method, route, status, milliseconds, bytes, client, caller,
                function, outcome, "request"
            )
        };
    }
    if status >= 500 {
        line!(warn);
    } else if refused || !reads || (status >= 400 && route != "none") {
        line!(info);
    } else {
        line!(debug);
    }
}

/// A method of any other name is a client's invention.
fn name(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

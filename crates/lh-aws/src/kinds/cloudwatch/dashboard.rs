//! Dashboard. Its ownership stands in its body, in a line of text at its end: decision 0017.

use async_trait::async_trait;
use futures_util::future::join_all;
use lh_kind::{
    Amount, Calls, CloudError, ErrorKind, Field, FieldDiff, Found, Idempotency, Line, Op, Ops, Owner, Price,
    PriceBook, Rules, Seen, Share, Target,
};
use lh_model::{CloudId, Map, StackId, value::is_late};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::alarm::custom_metrics;
use crate::{
    clients::Clients,
    error::{Named, unless_gone},
    kinds::labels::Labels,
};

const PUT: &str = "cloudwatch:PutDashboard";
const GET: &str = "cloudwatch:GetDashboard";
/// What the line of ownership begins with.
const MARK: &str = "Made by lhctl:";

/// The kind. Its id is the dashboard's name.
pub struct Dashboard;

/// Wanted properties.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// Unique in account and region.
    pub name: String,
    /// What it shows, as AWS's "Dashboard body structure" has it, without the line of ownership.
    pub body: Value,
    /// How many metrics of its own the host pays for its sake; a matter of price only.
    #[serde(default)]
    pub custom_metrics: u32,
}

/// What CloudWatch shows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Facts {
    /// Unique in account and region.
    pub name: String,
    /// What it shows, without the line of ownership; a text where it is no JSON.
    pub body: Value,
    /// The ARN.
    pub arn: String,
}

impl Rules for Dashboard {
    const NAME: &'static str = "dashboard";
    const DOC: &'static str = "A dashboard (CloudWatch API reference: PutDashboard)";
    const CREATE: Idempotency = Idempotency::NaturalKey;
    const FIELDS: &'static [Field] = &[
        Field::replace("name", "name, unique in account and region"),
        Field::online("body", "widgets, compared as JSON"),
    ];
    const CALLS: Calls = Calls {
        observe: &[GET],
        create: &[PUT, GET],
        update: &[PUT],
        delete: &["cloudwatch:DeleteDashboards"],
    };
    type Props = Props;
    type Facts = Facts;

    fn price(props: &Map, book: &PriceBook) -> Price {
        estimate(props, book).map_or_else(|unknown| unknown, Price::Known)
    }
}

/// Which of the account's dashboards are the three free ones nobody knows here.
fn estimate(props: &Map, book: &PriceBook) -> Result<Vec<Line>, Price> {
    let beyond = Amount::dollars(book.find(&["dashboard"])?);
    let what = format!("dashboard ({beyond} beyond an account's three)");
    let mut lines = vec![Line { what, monthly: Amount::default(), share: Share::Extra }];
    lines.extend(custom_metrics(props, book)?);
    Ok(lines)
}

/// The widget that says whose the dashboard is.
fn mark(op: &Op, body: &Value) -> Value {
    let bottom = |widget: &Value| {
        let side = |name: &str| widget.get(name).and_then(Value::as_u64).unwrap_or_default();
        side("y") + side("height")
    };
    let widgets = body.get("widgets").and_then(Value::as_array);
    let below = widgets.into_iter().flatten().map(bottom).max().unwrap_or_default();
    let tags = op.tags.iter().map(|(key, value)| format!("`{key}={value}`")).collect::<Vec<_>>().join(" ");
    json!({
        "type": "text", "x": 0, "y": below, "width": 24, "height": 1,
        "properties": { "markdown": format!("{MARK} {tags}") },
    })
}

/// The body with the mark of `op`.
fn marked(op: &Op, body: &Value) -> Value {
    let mut body = body.clone();
    let mark = mark(op, &body);
    if let Some(widgets) = body.get_mut("widgets").and_then(Value::as_array_mut) {
        widgets.push(mark);
    }
    body
}

/// The body without its mark, and what the mark says.
fn unmarked(text: &str) -> (Value, Labels) {
    let Ok(mut body) = serde_json::from_str::<Value>(text) else { return (text.into(), Labels::default()) };
    let mut labels = Labels::default();
    if let Some(widgets) = body.get_mut("widgets").and_then(Value::as_array_mut) {
        widgets.retain(|widget| {
            let markdown = widget.pointer("/properties/markdown").and_then(Value::as_str);
            let Some(tags) = markdown.and_then(|text| text.strip_prefix(MARK)) else { return true };
            let pairs = tags.split_whitespace().filter_map(|word| word.trim_matches('`').split_once('='));
            labels = Labels::new(pairs.map(|(key, value)| (Some(key), Some(value))));
            false
        });
    }
    (body, labels)
}

/// The dashboard of this name; `None` where there is none.
async fn read(clients: &Clients, name: &str) -> Result<Option<(Facts, Labels)>, CloudError> {
    let answer = match clients.cloudwatch.get_dashboard().dashboard_name(name).send().await.named(GET) {
        Ok(answer) => answer,
        Err(error) if error.kind == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let (body, labels) = unmarked(answer.dashboard_body().unwrap_or_default());
    let arn = answer.dashboard_arn().unwrap_or_default().to_owned();
    Ok(Some((Facts { name: name.to_owned(), body, arn }, labels)))
}

async fn put(clients: &Clients, op: &Op, props: &Props) -> Result<(), CloudError> {
    if is_late(&props.body) {
        return Err(CloudError::unresolved(PUT, "body"));
    }
    let body = marked(op, &props.body).to_string();
    let request = clients.cloudwatch.put_dashboard().dashboard_name(&props.name).dashboard_body(body);
    request.send().await.named(PUT).map(drop)
}

async fn look(clients: &Clients, stack: &StackId, name: &str) -> Seen<Facts> {
    match read(clients, name).await {
        Ok(None) => Seen::Absent,
        Err(error) => Seen::Unreadable(error),
        Ok(Some((facts, labels))) => {
            let owner: Owner = labels.owner(stack);
            Seen::Found(Found { id: CloudId(name.to_owned()), owner, facts })
        }
    }
}

#[async_trait]
impl Ops for Dashboard {
    type Client = Clients;

    /// CloudWatch has no call that shows the bodies of several; all are asked for at the same time.
    async fn observe(clients: &Clients, targets: &[Target<Props>]) -> Vec<Seen<Facts>> {
        let name = |target: &Target<Props>| match &target.id {
            Some(id) => id.0.clone(),
            None => target.props.name.clone(),
        };
        join_all(
            targets.iter().map(|target| async move { look(clients, &target.stack, &name(target)).await }),
        )
        .await
    }

    /// PutDashboard would overwrite another's dashboard of this name: it is looked for first.
    async fn create(clients: &Clients, op: &Op, props: &Props) -> Result<CloudId, CloudError> {
        let others =
            read(clients, &props.name).await?.filter(|(_, labels)| !labels.is_of(&op.stack, &op.identity));
        if others.is_some() {
            let text = format!("a dashboard {} exists already and is another's", props.name);
            return Err(CloudError::new(ErrorKind::Exists, PUT, text));
        }
        put(clients, op, props).await?;
        Ok(CloudId(props.name.clone()))
    }

    async fn update(
        clients: &Clients,
        op: &Op,
        _id: &CloudId,
        want: &Props,
        _diffs: &[FieldDiff],
    ) -> Result<(), CloudError> {
        put(clients, op, want).await
    }

    async fn delete(clients: &Clients, _op: &Op, id: &CloudId, _facts: &Facts) -> Result<(), CloudError> {
        let request = clients.cloudwatch.delete_dashboards().dashboard_names(&id.0);
        unless_gone(request.send().await.named("cloudwatch:DeleteDashboards"))
    }
}

#[cfg(test)]
mod tests {
    use lh_model::{Address, Identity};

    use super::*;

    #[test]
    fn the_mark_comes_last_and_goes_without_a_trace() {
        let (stack, address) = (StackId("lighthouse-prod".into()), Address::new("dashboard", "main"));
        let identity = Identity::derive("lineage", &address, 0);
        let op = Op::new(&stack, &address, &identity);
        let body =
            json!({"widgets": [{"type": "text", "y": 6, "height": 6, "properties": {"markdown": "Ours"}}]});
        let text = marked(&op, &body).to_string();
        assert_eq!(marked(&op, &body)["widgets"][1]["y"], 12);
        let (shown, labels) = unmarked(&text);
        assert_eq!(shown, body);
        assert!(labels.is_of(&stack, &identity));
        assert_eq!(unmarked(&body.to_string()).1.owner(&stack), Owner::Other);
        assert_eq!(unmarked("no JSON").0, json!("no JSON"));
    }

    #[test]
    fn the_order_of_keys_is_no_difference() {
        use lh_kind::{AnyRules, Change, Erased};
        let map = |text: &str| -> Map { serde_json::from_str(text).unwrap() };
        let want = map(r#"{"name": "d", "body": {"widgets": [], "start": "-PT3H"}}"#);
        let have = map(r#"{"body": {"start": "-PT3H", "widgets": []}, "name": "d", "arn": "a"}"#);
        assert_eq!(Erased::<Dashboard>::new().diff(&want, &have, None), Change::Same(vec![]));
    }
}

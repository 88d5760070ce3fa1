//! tmp
use lh_aws::*;
use lh_kind::*;
#[tokio::test]
async fn connect() {
    let t = std::time::Instant::now();
    let profile = std::env::var("TP").ok();
    let clients = Clients::connect(ConnectOptions {
        region: "us-east-1",
        profile: profile.as_deref(),
        ..Default::default()
    })
    .await;
    println!("connect {:?}", t.elapsed());
    let clients = match clients {
        Ok(c) => c,
        Err(e) => {
            println!("ERR {e}");
            return;
        }
    };
    let aws = Aws::new(clients);
    let p = Probe {
        lookup: lh_model::Lookup { name: "caller".into(), query: Default::default(), origin: None },
        pinned: None,
    };
    println!("{:#?}", aws.look_up(&[p]).await);
    println!("took {:?}", t.elapsed());
}

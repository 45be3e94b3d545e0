use super::upstream::{end, reaches, silent, through_proxy};
use crate::{DropWhen, How};
use serde_json::json;
use std::sync::atomic::Ordering;

#[tokio::test]
async fn one_reply_is_swallowed() {
    let (server, proxy, mut client) = through_proxy().await;
    proxy.swallow_reply("Test.lost");
    client.post(None, "Test.lost", json!({})).await.unwrap();
    assert!(silent(&mut client).await);
    assert_eq!(server.commands.load(Ordering::SeqCst), 2);
    client.call("Test.lost", json!({})).await.unwrap();
}

#[tokio::test]
async fn a_drop_before_a_command_keeps_it_from_the_browser() {
    let (server, proxy, mut client) = through_proxy().await;
    proxy.drop_on("Test.effect", DropWhen::Before, How::Fin);
    client.post(None, "Test.effect", json!({})).await.unwrap();
    end(&mut client).await;
    reaches(&server.open, 0).await;
    assert_eq!(
        (proxy.count("Test.effect"), proxy.forwarded("Test.effect")),
        (1, 0)
    );
    assert_eq!(server.commands.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_drop_after_a_command_lets_it_happen() {
    for when in [DropWhen::After, DropWhen::AtReply] {
        let (server, proxy, mut client) = through_proxy().await;
        proxy.drop_on("Test.effect", when, How::Rst);
        client.post(None, "Test.effect", json!({})).await.unwrap();
        end(&mut client).await;
        reaches(&server.commands, 2).await;
        assert_eq!(proxy.forwarded("Test.effect"), 1, "{when:?}");
        assert_eq!(proxy.live(), 0, "{when:?}");
    }
}

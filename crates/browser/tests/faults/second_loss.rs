//! The connection is lost again while everything is being restored, at every step of that.

use crate::stage::Stage;
use keeptab_browser::Options;
use keeptab_testkit::{DropWhen, How};
use std::time::Duration;

#[tokio::test]
async fn a_second_loss_before_each_step_of_the_recovery_starts_it_over() {
    lost_again(DropWhen::Before).await;
}

#[tokio::test]
async fn a_second_loss_after_each_step_of_the_recovery_starts_it_over() {
    lost_again(DropWhen::AtReply).await;
}

async fn lost_again(when: DropWhen) {
    // How long to wait between attempts is not what is tested here.
    let mut options = Options::new();
    options.link.backoff.first = Duration::from_millis(20);
    let stage = Stage::set(options).await;
    for (n, step) in steps(&stage).await.iter().enumerate() {
        stage.mark().await;
        let before = stage.proxy.upgrades();
        stage.proxy.drop_on(step, when, How::Rst);
        assert_eq!(stage.proxy.rst(), 1, "{step}");
        let epoch = u32::try_from(2 + 2 * (n + 1)).unwrap();
        stage.connected(epoch).await;
        assert_eq!(
            stage.proxy.upgrades(),
            before + 2,
            "{step}, {when:?}: two new connections"
        );
        stage.same_tab().await;
    }
}

/// The methods that a recovery sends: what the second connection has carried when everything is in force again.
async fn steps(stage: &Stage) -> Vec<String> {
    stage.proxy.rst();
    stage.connected(2).await;
    let mut steps: Vec<String> = Vec::new();
    for command in stage.proxy.seen() {
        if command.connection == 2 && !steps.contains(&command.method) {
            steps.push(command.method);
        }
    }
    stage.same_tab().await;
    assert!(steps.len() >= 6, "a recovery takes more than {steps:?}");
    steps
}

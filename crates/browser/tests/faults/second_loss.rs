//! The connection is lost again while everything is being restored, at every step of that.

use crate::stage::Stage;
use keeptab_browser::Options;
use keeptab_testkit::{DropWhen, How};

#[tokio::test]
async fn a_second_loss_at_each_step_of_the_recovery_starts_it_over() {
    let stage = Stage::set(Options::new()).await;
    stage.proxy.rst();
    stage.connected(2).await;
    stage.same_tab().await;
    let mut steps: Vec<String> = Vec::new();
    for command in stage
        .proxy
        .seen()
        .into_iter()
        .filter(|command| command.connection == 2)
    {
        if !steps.contains(&command.method) {
            steps.push(command.method);
        }
    }
    // What follows belongs to the check above, not to the recovery.
    let end = steps
        .iter()
        .position(|method| method == "Page.navigate")
        .unwrap();
    steps.truncate(end);
    assert!(steps.len() >= 6, "a recovery takes more than {steps:?}");

    let mut epoch = 2;
    for step in steps {
        for when in [DropWhen::Before, DropWhen::AtReply] {
            stage.tab.navigate(&stage.site.url("/")).await.unwrap();
            stage
                .tab
                .evaluate::<u32>("globalThis.kept = 7")
                .await
                .unwrap();
            let before = stage.proxy.upgrades();
            stage.proxy.drop_on(&step, when, How::Rst);
            assert_eq!(stage.proxy.rst(), 1, "{step}");
            stage.connected(epoch + 2).await;
            assert_eq!(
                stage.proxy.upgrades(),
                before + 2,
                "{step}, {when:?}: two new connections"
            );
            stage.same_tab().await;
            epoch += 2;
        }
    }
}

//! What every [`Store`] must do, whatever keeps its data. Each function takes a
//! store with nothing in it.

use std::time::Duration;

use keeptab_store::{
    Batch, Change, Fence, Health, Kind, LeaseRequest, OnCrash, SessionEnd, Store, StoreError,
    StreamHead,
};

use crate::helpers::{at, entries, session, tab};

pub(crate) async fn an_empty_store_answers_with_nothing(store: &dyn Store) {
    assert_eq!(store.sessions().await.unwrap(), []);
    assert_eq!(store.session("a").await.unwrap(), None);
    assert_eq!(store.tabs("a").await.unwrap(), []);
    assert_eq!(store.lease("a").await.unwrap(), None);
    assert_eq!(store.ledger("a").await.unwrap(), None);
    assert_eq!(store.stream("a", "console").await.unwrap(), None);
    assert_eq!(store.entries("a", "console", 0, 10).await.unwrap(), []);
    assert!(matches!(store.health(), Health::Writable));
}

pub(crate) async fn sessions_come_back_as_they_went(store: &dyn Store) {
    let mut a = session("a");
    let mut b = session("b ✓");
    b.sealed = None;
    b.keeper = Some("/run/keeper.sock".into());
    b.active_target = None;
    b.on_crash = OnCrash::Report;
    let changes = [Change::PutSession(b.clone()), Change::PutSession(a.clone())];
    store.commit(Batch::of(changes)).await.unwrap();
    assert_eq!(store.sessions().await.unwrap(), [a.clone(), b]);

    a.ended = Some(SessionEnd {
        at: at(9),
        reason: "the browser was replaced".into(),
    });
    a.updated = at(9);
    store
        .commit(Batch::of([Change::PutSession(a.clone())]))
        .await
        .unwrap();
    assert_eq!(store.session("a").await.unwrap(), Some(a));
}

pub(crate) async fn rewriting_a_session_keeps_what_belongs_to_it(store: &dyn Store) {
    let changes = [
        Change::PutSession(session("a")),
        Change::PutTab(tab("a", "T1", 0)),
        Change::PutLedger {
            session: "a".into(),
            bytes: vec![1, 2],
        },
        Change::PutEntries(entries("a", 0..3, 0)),
        Change::PutSession(session("a")),
    ];
    store.commit(Batch::of(changes)).await.unwrap();
    assert_eq!(store.tabs("a").await.unwrap().len(), 1);
    assert_eq!(store.ledger("a").await.unwrap(), Some(vec![1, 2]));
    assert_eq!(store.entries("a", "console", 0, 10).await.unwrap().len(), 3);
}

pub(crate) async fn names_that_cannot_be_shown_are_refused(store: &dyn Store) {
    for name in ["", "a\nb", &"x".repeat(129)] {
        let refused = store
            .commit(Batch::of([Change::PutSession(session(name))]))
            .await;
        assert_eq!(refused.unwrap_err().kind(), Kind::Invalid, "{name:?}");
    }
    assert_eq!(store.sessions().await.unwrap(), []);
}

pub(crate) async fn tabs_are_ordered_replaced_and_removed(store: &dyn Store) {
    let changes = [
        Change::PutSession(session("a")),
        Change::PutTab(tab("a", "T2", 1)),
        Change::PutTab(tab("a", "T1", 0)),
        Change::PutTab(tab("a", "T3", 2)),
    ];
    store.commit(Batch::of(changes)).await.unwrap();
    let mut moved = tab("a", "T1", 5);
    moved.url = "https://example.test/elsewhere".into();
    let gone = Change::RemoveTab {
        session: "a".into(),
        target_id: "T2".into(),
    };
    let never = Change::RemoveTab {
        session: "a".into(),
        target_id: "T9".into(),
    };
    store
        .commit(Batch::of([Change::PutTab(moved.clone()), gone, never]))
        .await
        .unwrap();
    assert_eq!(store.tabs("a").await.unwrap(), [tab("a", "T3", 2), moved]);
}

pub(crate) async fn a_batch_is_all_or_nothing(store: &dyn Store) {
    let changes = [
        Change::PutSession(session("a")),
        Change::PutTab(tab("a", "T1", 0)),
        Change::PutTab(tab("nobody", "T1", 0)),
    ];
    let refused = store.commit(Batch::of(changes)).await;
    assert_eq!(refused.unwrap_err().kind(), Kind::NoSession);
    assert_eq!(store.sessions().await.unwrap(), []);
}

pub(crate) async fn forgetting_takes_all_but_the_epoch(store: &dyn Store) {
    let changes = [
        Change::PutSession(session("a")),
        Change::PutTab(tab("a", "T1", 0)),
        Change::PutLedger {
            session: "a".into(),
            bytes: vec![1],
        },
        Change::PutEntries(entries("a", 0..3, 0)),
    ];
    store.commit(Batch::of(changes)).await.unwrap();
    let old = store.acquire_lease(request("d1", 0)).await.unwrap();
    let forget = Change::ForgetSession {
        session: "a".into(),
    };
    store
        .commit(Batch::of([forget.clone(), forget]))
        .await
        .unwrap();
    store
        .commit(Batch::of([Change::PutSession(session("a"))]))
        .await
        .unwrap();

    assert_eq!(store.tabs("a").await.unwrap(), []);
    assert_eq!(store.ledger("a").await.unwrap(), None);
    assert_eq!(store.stream("a", "console").await.unwrap(), None);
    assert_eq!(store.entries("a", "console", 0, 10).await.unwrap(), []);
    assert_eq!(store.lease("a").await.unwrap(), None);
    let late = store
        .commit(Batch::of([Change::PutTab(tab("a", "T1", 0))]).under(&old))
        .await;
    assert_eq!(late.unwrap_err().kind(), Kind::Fenced);
    assert_eq!(
        store.acquire_lease(request("d2", 0)).await.unwrap().epoch,
        old.epoch + 1
    );
}

pub(crate) async fn entries_are_paged_updated_and_pruned(store: &dyn Store) {
    store
        .commit(Batch::of([Change::PutSession(session("a"))]))
        .await
        .unwrap();
    store
        .commit(Batch::of([Change::PutEntries(entries("a", 0..10, 0))]))
        .await
        .unwrap();
    let page = store.entries("a", "console", 4, 3).await.unwrap();
    assert_eq!(page.iter().map(|e| e.number).collect::<Vec<_>>(), [4, 5, 6]);

    let mut update = entries("a", 8..12, 7);
    update.put[0].bytes = b"changed".to_vec();
    store
        .commit(Batch::of([Change::PutEntries(update)]))
        .await
        .unwrap();
    let all = store.entries("a", "console", 0, 100).await.unwrap();
    assert_eq!(
        all.iter().map(|e| e.number).collect::<Vec<_>>(),
        [7, 8, 9, 10, 11]
    );
    assert_eq!(all[1].bytes, b"changed");
    let head = store.stream("a", "console").await.unwrap();
    assert_eq!(
        head,
        Some(StreamHead {
            next: 12,
            dropped: 7
        })
    );
    assert_eq!(store.entries("a", "network", 0, 100).await.unwrap(), []);
}

fn request(holder: &str, second: u64) -> LeaseRequest {
    LeaseRequest {
        session: "a".into(),
        holder: holder.into(),
        now: at(second),
        ttl: Duration::from_secs(30),
    }
}

pub(crate) async fn one_holder_at_a_time(store: &dyn Store) {
    let first = store.acquire_lease(request("d1", 0)).await.unwrap();
    assert_eq!((first.epoch, first.expires), (1, at(30)));
    match store.acquire_lease(request("d2", 29)).await {
        Err(StoreError::Held {
            holder, expires, ..
        }) => {
            assert_eq!((holder.as_str(), expires), ("d1", at(30)));
        }
        other => panic!("{other:?}"),
    }
    let again = store.acquire_lease(request("d1", 10)).await.unwrap();
    assert_eq!((again.epoch, again.expires), (1, at(40)));
    let renewed = store
        .renew_lease(&again, at(20), Duration::from_secs(30))
        .await
        .unwrap();
    assert_eq!(renewed.expires, at(50));
    assert_eq!(store.lease("a").await.unwrap(), Some(renewed));
}

pub(crate) async fn a_session_begins_anew_with_its_lease_or_not_at_all(store: &dyn Store) {
    let old = store.acquire_lease(request("d1", 0)).await.unwrap();
    let before = Batch::of([
        Change::PutSession(session("a")),
        Change::PutTab(tab("a", "T1", 1)),
    ]);
    store.commit(before.under(&old)).await.unwrap();
    let anew = || {
        let mut record = session("a");
        record.endpoint = "anew".into();
        vec![
            Change::ForgetSession {
                session: "a".into(),
            },
            Change::PutSession(record),
            Change::PutTab(tab("a", "T2", 2)),
        ]
    };
    let tabs = async |store: &dyn Store| {
        let tabs = store.tabs("a").await.unwrap();
        tabs.into_iter()
            .map(|tab| tab.target_id)
            .collect::<Vec<_>>()
    };

    // Somebody has it: nothing is made.
    let refused = store.acquire_lease_with(request("d2", 29), anew()).await;
    assert_eq!(refused.unwrap_err().kind(), Kind::Held);
    assert_eq!(tabs(store).await, ["T1"]);

    // A change is refused: it is not taken.
    let mut wrong = anew();
    wrong.push(Change::PutTab(tab("nobody", "T3", 3)));
    let refused = store.acquire_lease_with(request("d2", 30), wrong).await;
    assert_eq!(refused.unwrap_err().kind(), Kind::NoSession);
    assert_eq!(tabs(store).await, ["T1"]);
    assert_eq!(store.lease("a").await.unwrap(), Some(old));

    let new = store.acquire_lease_with(request("d2", 30), anew());
    let new = new.await.unwrap();
    assert_eq!((new.epoch, new.holder.as_str()), (2, "d2"));
    assert_eq!(tabs(store).await, ["T2"]);
    assert_eq!(store.lease("a").await.unwrap(), Some(new.clone()));
    let after = Batch::of([Change::PutTab(tab("a", "T2", 3))]);
    store.commit(after.under(&new)).await.unwrap();
}

pub(crate) async fn an_expired_lease_can_be_taken_and_then_fences(store: &dyn Store) {
    store
        .commit(Batch::of([Change::PutSession(session("a"))]))
        .await
        .unwrap();
    let old = store.acquire_lease(request("d1", 0)).await.unwrap();
    let put = |n| Change::PutTab(tab("a", "T1", n));
    store.commit(Batch::of([put(1)]).under(&old)).await.unwrap();

    let new = store.acquire_lease(request("d2", 30)).await.unwrap();
    assert_eq!((new.epoch, new.holder.as_str()), (2, "d2"));
    for refused in [
        store.commit(Batch::of([put(2)]).under(&old)).await,
        store.release_lease(&old).await,
        store
            .renew_lease(&old, at(31), Duration::from_secs(30))
            .await
            .map(drop),
    ] {
        match refused {
            Err(StoreError::Fenced {
                epoch: 1,
                current: 2,
                ..
            }) => {}
            other => panic!("{other:?}"),
        }
    }
    store.commit(Batch::of([put(3)]).under(&new)).await.unwrap();
    assert_eq!(store.tabs("a").await.unwrap()[0].position, 3);
}

pub(crate) async fn a_released_lease_is_free_and_its_epoch_spent(store: &dyn Store) {
    let first = store.acquire_lease(request("d1", 0)).await.unwrap();
    store.release_lease(&first).await.unwrap();
    assert_eq!(store.lease("a").await.unwrap(), None);
    assert_eq!(
        store.release_lease(&first).await.unwrap_err().kind(),
        Kind::Fenced
    );
    assert_eq!(
        store.acquire_lease(request("d1", 1)).await.unwrap().epoch,
        2
    );
}

pub(crate) async fn a_fence_without_any_lease_refuses(store: &dyn Store) {
    let batch = Batch {
        changes: vec![Change::PutSession(session("a"))],
        fence: Some(Fence {
            session: "a".into(),
            epoch: 0,
        }),
    };
    assert_eq!(store.commit(batch).await.unwrap_err().kind(), Kind::Fenced);
    assert_eq!(store.sessions().await.unwrap(), []);
}

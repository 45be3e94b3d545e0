use super::Site;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn get(site: &Site, request: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", site.port()))
        .await
        .unwrap();
    let text = format!("{request} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn every_listed_page_is_there() {
    let site = Site::start().await;
    let listed = include_str!("../site.rs")
        .lines()
        .filter_map(|line| line.strip_prefix("//! | `/"));
    let mut tried = 0;
    for row in listed {
        for word in row.split('|').next().unwrap().split("`, `/") {
            let path = word
                .trim()
                .trim_end_matches('`')
                .replace("=N", "=1")
                .replace("/N", "/299")
                .replace("/TEXT", "/T");
            let answer = get(&site, &format!("GET /{path}")).await;
            assert!(!answer.starts_with("HTTP/1.1 404"), "no page /{path}");
            tried += 1;
        }
    }
    assert!(tried >= 20, "only {tried} pages are listed");
    assert!(get(&site, "GET /nowhere").await.starts_with("HTTP/1.1 404"));
}

#[tokio::test]
async fn effects_are_counted_by_key() {
    let site = Site::start().await;
    get(&site, "GET /effect?key=a").await;
    get(&site, "GET /effect?key=a").await;
    get(&site, "GET /effect?key=b").await;
    assert_eq!(
        (site.effects("a"), site.effects("b"), site.effects("c")),
        (2, 1, 0)
    );
    assert_eq!(site.hits("/effect"), 3);
}

#[tokio::test]
async fn a_dropped_site_is_gone() {
    let site = Site::start().await;
    let port = site.port();
    let mut open = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    drop(site);
    let mut byte = [0];
    assert!(!matches!(open.read(&mut byte).await, Ok(1..)));
}

//! headless_chrome. It waits between looks for a reply, so only single commands are measured, and few of them.

use headless_chrome::protocol::cdp::Runtime::Evaluate;
use headless_chrome::{Browser, Tab as Page};
use keeptab_bench_kit::{Client, Failure, Tab, Trigger, hello, serve};
use std::sync::Arc;
use std::time::Duration;

struct Headless {
    browser: Browser,
    pages: Vec<Arc<Page>>,
}

impl Client for Headless {
    async fn open(&mut self, url: &str) -> Result<Tab, Failure> {
        let page = self.browser.new_tab()?;
        page.navigate_to(url)?.wait_until_navigated()?;
        self.pages.push(page);
        Ok(self.pages.len() - 1)
    }

    async fn attach(&mut self, _: &str) -> Result<Tab, Failure> {
        Err("not measured".into())
    }

    async fn call(&mut self, tab: Option<Tab>, method: &str, _: &str) -> Result<usize, Failure> {
        match (tab, method) {
            (Some(tab), "Runtime.evaluate") => {
                self.pages[tab].call_method(Evaluate {
                    expression: "1+1".into(),
                    object_group: None,
                    include_command_line_api: None,
                    silent: None,
                    context_id: None,
                    return_by_value: None,
                    generate_preview: None,
                    user_gesture: None,
                    await_promise: None,
                    throw_on_side_effect: None,
                    timeout: None,
                    disable_breaks: None,
                    repl_mode: None,
                    allow_unsafe_eval_blocked_by_csp: None,
                    unique_context_id: None,
                    serialization_options: None,
                })?;
            }
            (None, "Browser.getVersion") => {
                self.browser.get_version()?;
            }
            _ => return Err(Failure(format!("{method} is not measured"))),
        }
        Ok(0)
    }

    async fn pipeline(&mut self, _: Tab, _: Trigger<'_>, _: usize, _: usize) -> Result<(), Failure> {
        Err("not measured".into())
    }

    async fn events(&mut self, _: Tab, _: &str, _: usize, _: Trigger<'_>) -> Result<usize, Failure> {
        Err("not measured".into())
    }

    async fn event(&mut self, _: Tab, _: &str, _: Trigger<'_>) -> Result<String, Failure> {
        Err("not measured".into())
    }
}

fn main() -> Result<(), Failure> {
    let place = hello()?;
    let mut client = Headless { browser: Browser::connect_with_timeout(place.ws.clone(), Duration::from_secs(3600))?, pages: Vec::new() };
    futures::executor::block_on(serve(&mut client, &place))
}

//! TCP and TLS.
use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use keeptab_link::DialError;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::dial::Address;

/// A TCP connection, with TLS or without.
pub(crate) enum NetStream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// Connects to an address.
///
/// # Errors
/// [`DialError::Unreachable`] when there is nobody, [`DialError::Refused`] when the certificate is wrong:
/// there is no way around a certificate.
pub(crate) async fn connect(address: &Address) -> Result<NetStream, DialError> {
    let tcp = TcpStream::connect((address.host.as_str(), address.port))
        .await
        .map_err(|error| DialError::Unreachable {
            reason: format!("{}:{}: {error}", address.host, address.port).into(),
        })?;
    tune(&tcp);
    if !address.tls {
        return Ok(NetStream::Plain(tcp));
    }
    let name = ServerName::try_from(address.host.clone()).map_err(|error| DialError::Refused {
        status: 0,
        reason: format!("{}: {error}", address.host).into(),
    })?;
    match TlsConnector::from(tls_config()?).connect(name, tcp).await {
        Ok(tls) => Ok(NetStream::Tls(Box::new(tls))),
        // rustls reports what is wrong with a certificate or the protocol as invalid data.
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(DialError::Refused {
            status: 0,
            reason: format!("TLS with {}: {error}", address.host).into(),
        }),
        Err(error) => Err(DialError::Unreachable {
            reason: format!("TLS with {}: {error}", address.host).into(),
        }),
    }
}

impl NetStream {
    /// Who is at the other end.
    pub(crate) fn peer(&self) -> Option<std::net::SocketAddr> {
        let tcp = match self {
            Self::Plain(tcp) => tcp,
            Self::Tls(tls) => tls.get_ref().0,
        };
        tcp.peer_addr().ok()
    }
}

/// Small messages leave at once; a lost peer is noticed by the kernel too; and dropping the socket resets
/// it, so that nothing we gave up on is delivered later. Where the system refuses one of these, the
/// connection works without.
fn tune(tcp: &TcpStream) {
    let done = tcp.set_nodelay(true).and_then(|()| tcp.set_zero_linger());
    #[cfg(target_os = "linux")]
    let done = done.and_then(|()| {
        const UNACKNOWLEDGED_MS: u32 = 30_000;
        Ok(rustix::net::sockopt::set_tcp_user_timeout(
            tcp,
            UNACKNOWLEDGED_MS,
        )?)
    });
    if let Err(error) = done {
        tracing::debug!(%error, "a socket option was refused");
    }
}

fn tls_config() -> Result<Arc<ClientConfig>, DialError> {
    static CONFIG: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    if let Some(config) = CONFIG.get() {
        return Ok(Arc::clone(config));
    }
    let mut roots = RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| DialError::Refused {
            status: 0,
            reason: format!("TLS: {error}").into(),
        })?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::clone(CONFIG.get_or_init(|| Arc::new(config))))
}

impl AsyncRead for NetStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_read(cx, buf),
            Self::Tls(tls) => Pin::new(tls).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for NetStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_write(cx, buf),
            Self::Tls(tls) => Pin::new(tls).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_flush(cx),
            Self::Tls(tls) => Pin::new(tls).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Self::Tls(tls) => Pin::new(tls).poll_shutdown(cx),
        }
    }
}

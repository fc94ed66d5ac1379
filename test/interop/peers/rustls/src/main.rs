// The rustls peer: see ../../README.md.
use rustls::pki_types::{pem::PemObject, CertificateDer, PrivateKeyDer, ServerName};
use rustls::client::Tls12Resumption;
#[cfg(feature = "aws")]
use rustls::crypto::aws_lc_rs as cryptography;
#[cfg(not(feature = "aws"))]
use rustls::crypto::ring as cryptography;
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, ClientConnection, HandshakeKind, RootCertStore, ServerConfig, ServerConnection};
use std::collections::HashMap;
use std::error::Error;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;

type Result<T> = std::result::Result<T, Box<dyn Error>>;
type Options = HashMap<String, String>;

fn chain(path: &str) -> Result<Vec<CertificateDer<'static>>> {
    Ok(CertificateDer::pem_file_iter(path)?.collect::<std::result::Result<_, _>>()?)
}

fn roots(path: &str) -> Result<RootCertStore> {
    let mut store = RootCertStore::empty();
    for anchor in chain(path)? {
        store.add(anchor)?;
    }
    Ok(store)
}

static ONLY_1_2: &[&rustls::SupportedProtocolVersion] = &[&rustls::version::TLS12];

fn versions(opts: &Options) -> &'static [&'static rustls::SupportedProtocolVersion] {
    match opts.get("version").map(String::as_str) {
        Some("1.2") => ONLY_1_2,
        _ => rustls::ALL_VERSIONS,
    }
}

fn protocols(opts: &Options) -> Vec<Vec<u8>> {
    opts.get("alpn").map(|list| list.split(',').map(|name| name.as_bytes().to_vec()).collect()).unwrap_or_default()
}

fn fill(out: &mut [u8], at: usize) {
    for (i, byte) in out.iter_mut().enumerate() {
        let n = at + i;
        *byte = (131 * n + 17 * (n >> 8) + 29 * (n >> 16)) as u8;
    }
}

macro_rules! report {
    ($conn:expr, $size:expr) => {
        println!(
            "conn version={:?} suite={:?} resumed={} alpn={} client={} bytes={}",
            $conn.protocol_version().unwrap(),
            $conn.negotiated_cipher_suite().unwrap().suite(),
            if $conn.handshake_kind() == Some(HandshakeKind::Resumed) { "yes" } else { "no" },
            $conn.alpn_protocol().map_or("-".into(), String::from_utf8_lossy),
            if $conn.peer_certificates().is_some() { "yes" } else { "-" },
            $size
        )
    };
}

// Block by block: one thread reads and writes.
fn echo(conn: &mut ClientConnection, socket: &mut TcpStream, size: usize, update: bool) -> Result<()> {
    let (mut sent, mut got) = (vec![0u8; 16384], vec![0u8; 16384]);
    let mut at = 0;
    while at < size {
        let n = (size - at).min(sent.len());
        fill(&mut sent[..n], at);
        let mut stream = rustls::Stream::new(conn, socket);
        stream.write_all(&sent[..n])?;
        stream.flush()?;
        stream.read_exact(&mut got[..n])?;
        if got[..n] != sent[..n] {
            return Err(format!("the bytes after {at} came back changed").into());
        }
        at += n;
        if update && (at / 16384) % 8 == 0 {
            conn.refresh_traffic_keys()?;
        }
    }
    Ok(())
}

fn client(port: &str, ca: &str, opts: &Options) -> Result<()> {
    let builder = ClientConfig::builder_with_protocol_versions(versions(opts)).with_root_certificates(roots(ca)?);
    let mut config = match opts.get("cert") {
        Some(cert) => builder.with_client_auth_cert(chain(cert)?, PrivateKeyDer::from_pem_file(&opts["key"])?)?,
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = protocols(opts);
    if opts.contains_key("tickets") {
        config.resumption = config.resumption.tls12_resumption(Tls12Resumption::SessionIdOnly);
    }
    let config = Arc::new(config);
    let size: usize = opts.get("echo").map_or(Ok(0), |n| n.parse())?;
    let times: usize = opts.get("times").map_or(Ok(1), |n| n.parse())?;
    for _ in 0..times {
        let mut socket = TcpStream::connect(format!("127.0.0.1:{port}"))?;
        let mut conn = ClientConnection::new(config.clone(), ServerName::try_from("localhost")?)?;
        while conn.is_handshaking() {
            conn.complete_io(&mut socket)?;
        }
        echo(&mut conn, &mut socket, size, opts.contains_key("keyupdate"))?;
        conn.send_close_notify();
        while conn.wants_write() {
            conn.write_tls(&mut socket)?;
        }
        socket.shutdown(Shutdown::Write)?;
        // rustls reports an end without close_notify as an error.
        let mut rest = Vec::new();
        rustls::Stream::new(&mut conn, &mut socket).read_to_end(&mut rest)?;
        report!(conn, size);
    }
    Ok(())
}

fn serve_one(config: Arc<ServerConfig>, mut socket: TcpStream, opts: &Options) -> Result<()> {
    let mut conn = ServerConnection::new(config)?;
    let mut block = vec![0u8; 16384];
    let (mut size, mut rounds) = (0, 0);
    loop {
        let n = rustls::Stream::new(&mut conn, &mut socket).read(&mut block)?;
        if n == 0 {
            break;
        }
        size += n;
        rounds += 1;
        rustls::Stream::new(&mut conn, &mut socket).write_all(&block[..n])?;
        if opts.contains_key("keyupdate") && rounds % 8 == 0 {
            conn.refresh_traffic_keys()?;
        }
    }
    conn.send_close_notify();
    while conn.wants_write() {
        conn.write_tls(&mut socket)?;
    }
    report!(conn, size);
    Ok(())
}

fn server(port: &str, cert: &str, key: &str, opts: Options) -> Result<()> {
    let builder = ServerConfig::builder_with_protocol_versions(versions(&opts));
    let builder = match opts.get("ca") {
        Some(ca) => builder
            .with_client_cert_verifier(WebPkiClientVerifier::builder(Arc::new(roots(ca)?)).build()?),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_single_cert(chain(cert)?, PrivateKeyDer::from_pem_file(key)?)?;
    config.alpn_protocols = protocols(&opts);
    if !opts.contains_key("tickets") {
        config.ticketer = cryptography::Ticketer::new()?;
    }
    let config = Arc::new(config);
    let door = TcpListener::bind(format!("127.0.0.1:{port}"))?;
    println!("ready");
    for socket in door.incoming() {
        let (config, opts) = (config.clone(), opts.clone());
        std::thread::spawn(move || {
            if let Err(error) = socket.map_err(Into::into).and_then(|socket| serve_one(config, socket, &opts)) {
                println!("error {error}");
            }
        });
    }
    Ok(())
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let from = if args[1] == "client" { 4 } else { 5 };
    let opts: Options = args[from..].iter().filter_map(|arg| arg.split_once('=')).map(|(k, v)| (k.into(), v.into())).collect();
    let done = match args[1].as_str() {
        "client" => client(&args[2], &args[3], &opts),
        _ => server(&args[2], &args[3], &args[4], opts),
    };
    if let Err(error) = done {
        println!("error {error}");
        std::process::exit(1);
    }
}

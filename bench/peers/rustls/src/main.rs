// Full TLS 1.3 handshakes with X25519MLKEM768 between rustls (with aws-lc) and itself, in memory: for each side the
// time from making the connection to the first byte from the server, as the median over the handshakes. Prints
// lines as bench-timed does.
//
//     peer ROUND SECONDS FOLDER    FOLDER has chain.pem, key.pem and root.pem
use rustls::crypto::{aws_lc_rs, CryptoProvider};
use rustls::pki_types::{pem::PemObject, CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, NamedGroup, RootCertStore, ServerConfig, ServerConnection};
use std::error::Error;
use std::io::{Read, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn timed<T>(sum: &mut Duration, f: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let result = f();
    *sum += begun.elapsed();
    result
}

/// Makes one handshake; the microseconds of the client and the server.
fn shake(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> Result<(f64, f64)> {
    let (mut of_client, mut of_server) = (Duration::ZERO, Duration::ZERO);
    let mut c = timed(&mut of_client, || {
        ClientConnection::new(client.clone(), ServerName::try_from("bench.example").unwrap())
    })?;
    let mut s = timed(&mut of_server, || ServerConnection::new(server.clone()))?;
    let (mut wire, mut greeted, mut got) = (Vec::new(), false, [0u8; 1]);
    for _ in 0..20 {
        timed(&mut of_client, || -> Result<()> {
            while c.wants_write() {
                c.write_tls(&mut wire)?;
            }
            Ok(())
        })?;
        let mut at = &wire[..];
        timed(&mut of_server, || -> Result<()> {
            while !at.is_empty() {
                s.read_tls(&mut at)?;
                s.process_new_packets()?;
            }
            if !s.is_handshaking() && !greeted {
                s.writer().write_all(b"!")?;
                greeted = true;
            }
            Ok(())
        })?;
        wire.clear();
        timed(&mut of_server, || -> Result<()> {
            while s.wants_write() {
                s.write_tls(&mut wire)?;
            }
            Ok(())
        })?;
        let mut at = &wire[..];
        let done = timed(&mut of_client, || -> Result<bool> {
            while !at.is_empty() {
                c.read_tls(&mut at)?;
                c.process_new_packets()?;
            }
            Ok(c.reader().read(&mut got).is_ok())
        })?;
        wire.clear();
        if done {
            if c.negotiated_key_exchange_group().map(|g| g.name()) != Some(NamedGroup::X25519MLKEM768) {
                return Err("another group was chosen".into());
            }
            timed(&mut of_client, || drop(c));
            timed(&mut of_server, || drop(s));
            return Ok((of_client.as_secs_f64() * 1e6, of_server.as_secs_f64() * 1e6));
        }
    }
    Err("the handshake does not end".into())
}

fn median(v: &mut [f64]) -> f64 {
    v.sort_by(f64::total_cmp);
    v[v.len() / 2]
}

fn chain(path: String) -> Result<Vec<CertificateDer<'static>>> {
    Ok(CertificateDer::pem_file_iter(path)?.collect::<std::result::Result<_, _>>()?)
}

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().collect();
    if args.len() != 4 {
        return Err("usage: peer ROUND SECONDS FOLDER".into());
    }
    let folder = &args[3];
    let provider = Arc::new(CryptoProvider {
        kx_groups: vec![aws_lc_rs::kx_group::X25519MLKEM768],
        cipher_suites: vec![aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256],
        ..aws_lc_rs::default_provider()
    });
    let mut roots = RootCertStore::empty();
    for anchor in chain(format!("{folder}/root.pem"))? {
        roots.add(anchor)?;
    }
    let key = PrivateKeyDer::from_pem_file(format!("{folder}/key.pem"))?;
    let server = Arc::new(
        ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_no_client_auth()
            .with_single_cert(chain(format!("{folder}/chain.pem"))?, key)?,
    );
    let mut client = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_root_certificates(roots)
        .with_no_client_auth();
    client.resumption = rustls::client::Resumption::disabled();
    let client = Arc::new(client);
    for _ in 0..20 {
        shake(&client, &server)?;
    }
    let (mut clients, mut servers) = (Vec::new(), Vec::new());
    let end = Instant::now() + Duration::from_secs_f64(args[2].parse()?);
    while Instant::now() < end || clients.is_empty() {
        let (c, s) = shake(&client, &server)?;
        clients.push(c);
        servers.push(s);
    }
    println!("tls13-hybrid-client-seen\tus\trustls\t{}\t{:.3}", args[1], median(&mut clients));
    println!("tls13-hybrid-server\tus\trustls\t{}\t{:.3}", args[1], median(&mut servers));
    Ok(())
}

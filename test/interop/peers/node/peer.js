// The Node peer: see ../README.md.
'use strict';
const { constants } = require('crypto');
const fs = require('fs');
const tls = require('tls');

function options(args) {
    return Object.fromEntries(args.map((arg) => [arg.slice(0, arg.indexOf('=')), arg.slice(arg.indexOf('=') + 1)]));
}

function pattern(at, size) {
    const out = Buffer.alloc(size);
    for (let i = 0; i < size; i++) {
        const n = at + i;
        out[i] = (131 * n + 17 * (n >> 8) + 29 * (n >> 16)) & 255;
    }
    return out;
}

function report(conn, size) {
    const peer = conn.getPeerCertificate();
    const name = peer && peer.subject && peer.subject.CN ? peer.subject.CN.replace(/ /g, '_') : '-';
    console.log(`conn version=${conn.getProtocol()} suite=${conn.getCipher().name} ` +
        `resumed=${conn.isSessionReused() ? 'yes' : 'no'} alpn=${conn.alpnProtocol || '-'} client=${name} bytes=${size}`);
}

function die(error) {
    console.log('error', error.message);
    process.exit(1);
}

function manner(opts) {
    const out = {};
    if (opts.version) {
        out.minVersion = out.maxVersion = 'TLSv1' + (opts.version === '1.0' ? '' : opts.version.slice(1));
        if (opts.version < '1.2') out.ciphers = 'DEFAULT:@SECLEVEL=0';
    }
    if (opts.tickets === '0') out.secureOptions = constants.SSL_OP_NO_TICKET;
    return out;
}

function client(port, ca, opts) {
    const size = Number(opts.echo || 0);
    let left = Number(opts.times || 1);
    let session;
    const connect = () => {
        const conn = tls.connect({
            host: '127.0.0.1', port, ca: fs.readFileSync(ca), servername: 'localhost', session, allowHalfOpen: true,
            ...manner(opts),
            cert: opts.cert && fs.readFileSync(opts.cert), key: opts.key && fs.readFileSync(opts.key),
            ALPNProtocols: opts.alpn ? opts.alpn.split(',') : undefined,
        });
        let got = 0;
        let sent = 0;
        const send = () => {
            while (sent < size) {
                const n = Math.min(65536, size - sent);
                const more = conn.write(pattern(sent, n));
                sent += n;
                if (!more) {
                    conn.once('drain', send);
                    return;
                }
            }
            conn.end();
        };
        conn.on('secureConnect', send);
        conn.on('session', (fresh) => { session = fresh; });
        conn.on('error', die);
        conn.on('data', (data) => {
            if (!data.equals(pattern(got, data.length))) die(new Error(`the bytes after ${got} came back changed`));
            got += data.length;
        });
        conn.on('end', () => {
            if (got !== size) die(new Error(`${got} bytes came back of ${size}`));
            report(conn, got);
            conn.destroy();
            if (--left > 0) connect();
        });
    };
    connect();
}

function server(port, chain, key, opts) {
    const door = tls.createServer({
        cert: fs.readFileSync(chain), key: fs.readFileSync(key), allowHalfOpen: true, ...manner(opts),
        ca: opts.ca && fs.readFileSync(opts.ca), requestCert: Boolean(opts.ca), rejectUnauthorized: Boolean(opts.ca),
        ALPNProtocols: opts.alpn ? opts.alpn.split(',') : undefined,
    }, (conn) => {
        let size = 0;
        conn.on('data', (data) => {
            size += data.length;
            if (!conn.write(data)) {
                conn.pause();
                conn.once('drain', () => conn.resume());
            }
        });
        conn.on('error', (error) => console.log('error', error.message));
        conn.on('end', () => {
            report(conn, size);
            conn.end();
        });
    });
    // Without these it keeps no sessions by ID.
    const sessions = new Map();
    door.on('newSession', (id, session, done) => { sessions.set(id.toString('hex'), session); done(); });
    door.on('resumeSession', (id, done) => done(null, sessions.get(id.toString('hex')) || null));
    door.on('tlsClientError', (error) => console.log('error', error.message));
    door.listen(port, '127.0.0.1', () => console.log('ready'));
}

const [, , role, port, first, ...rest] = process.argv;
if (role === 'client') client(Number(port), first, options(rest));
else server(Number(port), first, rest[0], options(rest.slice(1)));

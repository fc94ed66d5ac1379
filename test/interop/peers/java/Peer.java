// The JSSE peer: see ../README.md. Certificates and keys come as PKCS#12.

import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.security.KeyStore;
import java.security.Security;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.HashMap;
import java.util.Map;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

public final class Peer {
    private static final char[] PASSWORD = "pw".toCharArray();

    private static Map<String, String> options(String[] args, int from) {
        Map<String, String> out = new HashMap<>();
        for (int i = from; i < args.length; i++) {
            int at = args[i].indexOf('=');
            out.put(args[i].substring(0, at), args[i].substring(at + 1));
        }
        return out;
    }

    private static SSLContext context(String ca, String p12) throws Exception {
        TrustManagerFactory trust = null;
        if (ca != null) {
            KeyStore anchors = KeyStore.getInstance("PKCS12");
            anchors.load(null, null);
            try (InputStream in = new FileInputStream(ca)) {
                anchors.setCertificateEntry("ca", CertificateFactory.getInstance("X.509").generateCertificate(in));
            }
            trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trust.init(anchors);
        }
        KeyManagerFactory keys = null;
        if (p12 != null) {
            KeyStore own = KeyStore.getInstance("PKCS12");
            try (InputStream in = new FileInputStream(p12)) {
                own.load(in, PASSWORD);
            }
            keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            keys.init(own, PASSWORD);
        }
        SSLContext out = SSLContext.getInstance("TLS");
        out.init(keys == null ? null : keys.getKeyManagers(), trust == null ? null : trust.getTrustManagers(), null);
        return out;
    }

    private static void pattern(byte[] out, int size, long at) {
        for (int i = 0; i < size; i++) {
            long n = at + i;
            out[i] = (byte) (131 * n + 17 * (n >> 8) + 29 * (n >> 16));
        }
    }

    private static void report(SSLSocket conn, boolean resumed, long size) {
        SSLSession session = conn.getSession();
        String client = "-";
        try {
            X509Certificate peer = (X509Certificate) session.getPeerCertificates()[0];
            client = peer.getSubjectX500Principal().getName().replace("CN=", "").replace(' ', '_');
        } catch (Exception none) {
            // The peer has sent no certificate.
        }
        String alpn = conn.getApplicationProtocol();
        System.out.printf("conn version=%s suite=%s resumed=%s alpn=%s client=%s bytes=%d%n", session.getProtocol(),
                session.getCipherSuite(), resumed ? "yes" : "no", alpn == null || alpn.isEmpty() ? "-" : alpn, client,
                size);
        System.out.flush();
    }

    private static void manner(SSLSocket conn, Map<String, String> opts) {
        if (opts.containsKey("version")) {
            String name = opts.get("version");
            conn.setEnabledProtocols(new String[] {name.equals("1.0") ? "TLSv1" : "TLSv" + name});
        }
        if (opts.containsKey("alpn")) {
            SSLParameters parameters = conn.getSSLParameters();
            parameters.setApplicationProtocols(opts.get("alpn").split(","));
            conn.setSSLParameters(parameters);
        }
    }

    private static void client(int port, String ca, Map<String, String> opts) throws Exception {
        SSLContext context = context(ca, opts.get("cert"));
        long size = Long.parseLong(opts.getOrDefault("echo", "0"));
        int times = Integer.parseInt(opts.getOrDefault("times", "1"));
        long previous = 0;
        for (int i = 0; i < times; i++) {
            Socket raw = new Socket(InetAddress.getByName("127.0.0.1"), port);
            SSLSocket conn = (SSLSocket) context.getSocketFactory().createSocket(raw, "localhost", port, true);
            SSLParameters parameters = conn.getSSLParameters();
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
            conn.setSSLParameters(parameters);
            manner(conn, opts);
            conn.startHandshake();
            // A resumed session keeps the moment at which the first one was made.
            boolean resumed = conn.getSession().getCreationTime() == previous;
            previous = conn.getSession().getCreationTime();
            Throwable[] failure = new Throwable[1];
            Thread writer = new Thread(() -> {
                try {
                    OutputStream out = conn.getOutputStream();
                    byte[] block = new byte[32768];
                    for (long at = 0; at < size; at += block.length) {
                        int n = (int) Math.min(block.length, size - at);
                        pattern(block, n, at);
                        out.write(block, 0, n);
                    }
                    conn.shutdownOutput();
                } catch (IOException error) {
                    failure[0] = error;
                }
            });
            writer.start();
            byte[] got = new byte[32768];
            byte[] want = new byte[32768];
            long at = 0;
            InputStream in = conn.getInputStream();
            for (int n; (n = in.read(got)) >= 0; at += n) {
                pattern(want, n, at);
                for (int k = 0; k < n; k++) {
                    if (got[k] != want[k]) {
                        throw new IOException("the bytes after " + at + " came back changed");
                    }
                }
            }
            writer.join();
            if (failure[0] != null) {
                throw new IOException(failure[0]);
            }
            if (at != size) {
                throw new IOException(at + " bytes came back of " + size);
            }
            report(conn, resumed, at);
            conn.close();
            Thread.sleep(20);
        }
    }

    private static void serveOne(SSLSocket conn, Map<String, String> opts, long since) {
        try {
            manner(conn, opts);
            conn.startHandshake();
            long now = System.currentTimeMillis();
            boolean resumed = conn.getSession().getCreationTime() < since;
            byte[] block = new byte[32768];
            long size = 0;
            for (int n; (n = conn.getInputStream().read(block)) >= 0; size += n) {
                conn.getOutputStream().write(block, 0, n);
            }
            report(conn, resumed, size);
            conn.close();
        } catch (IOException error) {
            System.out.println("error " + error.getMessage());
            System.out.flush();
        }
    }

    private static void server(int port, String p12, Map<String, String> opts) throws Exception {
        SSLContext context = context(opts.get("ca"), p12);
        SSLServerSocket door = (SSLServerSocket) context.getServerSocketFactory().createServerSocket(port, 50,
                InetAddress.getByName("127.0.0.1"));
        door.setNeedClientAuth(opts.containsKey("ca"));
        System.out.println("ready");
        System.out.flush();
        while (true) {
            SSLSocket conn = (SSLSocket) door.accept();
            long since = System.currentTimeMillis();
            new Thread(() -> serveOne(conn, opts, since)).start();
        }
    }

    public static void main(String[] args) {
        Map<String, String> opts = options(args, args[0].equals("client") ? 3 : 4);
        if (opts.getOrDefault("version", "1.3").compareTo("1.2") < 0) {
            Security.setProperty("jdk.tls.disabledAlgorithms", "");
        }
        if (opts.containsKey("tickets")) {
            System.setProperty("jdk.tls.client.enableSessionTicketExtension", "false");
            System.setProperty("jdk.tls.server.enableSessionTicketExtension", "false");
        }
        if (opts.containsKey("keyupdate")) {
            // Until the answer is there JSSE asks again with each record, and behind the peer's close_notify it
            // takes that for an error: so this must happen well before the end.
            Security.setProperty("jdk.tls.keyLimits",
                    "AES/GCM/NoPadding KeyUpdate 2^23, ChaCha20-Poly1305 KeyUpdate 2^23");
        }
        try {
            if (args[0].equals("client")) {
                client(Integer.parseInt(args[1]), args[2], opts);
            } else {
                server(Integer.parseInt(args[1]), args[2], opts);
            }
        } catch (Exception error) {
            System.out.println("error " + error.getMessage());
            System.exit(1);
        }
    }
}

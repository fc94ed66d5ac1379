// The crypto/tls peer: see ../README.md.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

var printing sync.Mutex

func die(err error) {
	fmt.Println("error", err)
	os.Exit(1)
}

func options(args []string) map[string]string {
	opts := map[string]string{}
	for _, arg := range args {
		key, value, _ := strings.Cut(arg, "=")
		opts[key] = value
	}
	return opts
}

// tls.VersionName came with Go 1.21; Debian 12 has 1.19.
func versionName(version uint16) string {
	return fmt.Sprintf("TLSv1.%d", version-tls.VersionTLS10)
}

func pool(path string) *x509.CertPool {
	pem, err := os.ReadFile(path)
	if err != nil {
		die(err)
	}
	p := x509.NewCertPool()
	p.AppendCertsFromPEM(pem)
	return p
}

func report(state tls.ConnectionState, bytes int) {
	yes := map[bool]string{true: "yes", false: "no"}
	alpn, client := "-", "-"
	if state.NegotiatedProtocol != "" {
		alpn = state.NegotiatedProtocol
	}
	if len(state.PeerCertificates) > 0 {
		client = strings.ReplaceAll(state.PeerCertificates[0].Subject.CommonName, " ", "_")
	}
	version := versionName(state.Version)
	printing.Lock()
	defer printing.Unlock()
	fmt.Printf("conn version=%s suite=%s resumed=%s alpn=%s client=%s bytes=%d\n", version,
		tls.CipherSuiteName(state.CipherSuite), yes[state.DidResume], alpn, client, bytes)
}

func pattern(out []byte, at int) {
	for i := range out {
		n := at + i
		out[i] = byte(131*n + 17*(n>>8) + 29*(n>>16))
	}
}

func echo(conn *tls.Conn, size int) error {
	sent := make(chan error, 1)
	go func() {
		block := make([]byte, 32768)
		for at := 0; at < size; {
			n := size - at
			if n > len(block) {
				n = len(block)
			}
			pattern(block[:n], at)
			if _, err := conn.Write(block[:n]); err != nil {
				sent <- err
				return
			}
			at += n
		}
		sent <- conn.CloseWrite()
	}()
	got, want := make([]byte, 32768), make([]byte, 32768)
	at := 0
	for {
		n, err := conn.Read(got)
		pattern(want[:n], at)
		if string(got[:n]) != string(want[:n]) {
			return fmt.Errorf("the bytes after %d came back changed", at)
		}
		at += n
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
	}
	if err := <-sent; err != nil {
		return err
	}
	if at != size {
		return fmt.Errorf("%d bytes came back of %d", at, size)
	}
	return nil
}

// versions limits a configuration to the one version that was asked for.
func versions(config *tls.Config, opts map[string]string) {
	config.MinVersion = tls.VersionTLS12
	if name := opts["version"]; name != "" {
		config.MinVersion = tls.VersionTLS10 + uint16(name[2]-'0')
		config.MaxVersion = config.MinVersion
	}
}

func client(port, ca string, opts map[string]string) {
	config := &tls.Config{RootCAs: pool(ca), ServerName: "localhost",
		ClientSessionCache: tls.NewLRUClientSessionCache(8)}
	versions(config, opts)
	if opts["cert"] != "" {
		pair, err := tls.LoadX509KeyPair(opts["cert"], opts["key"])
		if err != nil {
			die(err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	if opts["alpn"] != "" {
		config.NextProtos = strings.Split(opts["alpn"], ",")
	}
	size, _ := strconv.Atoi(opts["echo"])
	times, _ := strconv.Atoi(opts["times"])
	if times < 1 {
		times = 1
	}
	for i := 0; i < times; i++ {
		raw, err := net.DialTimeout("tcp", "127.0.0.1:"+port, 10*time.Second)
		if err != nil {
			die(err)
		}
		conn := tls.Client(raw, config)
		if err := conn.Handshake(); err != nil {
			die(err)
		}
		if err := echo(conn, size); err != nil {
			die(err)
		}
		report(conn.ConnectionState(), size)
		raw.Close()
	}
}

func server(port, chain, key string, opts map[string]string) {
	pair, err := tls.LoadX509KeyPair(chain, key)
	if err != nil {
		die(err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{pair}}
	versions(config, opts)
	if opts["ca"] != "" {
		config.ClientCAs = pool(opts["ca"])
		config.ClientAuth = tls.RequireAndVerifyClientCert
	}
	if opts["alpn"] != "" {
		config.NextProtos = strings.Split(opts["alpn"], ",")
	}
	door, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		die(err)
	}
	fmt.Println("ready")
	for {
		raw, err := door.Accept()
		if err != nil {
			die(err)
		}
		go func() {
			defer raw.Close()
			conn := tls.Server(raw, config)
			if err := conn.Handshake(); err != nil {
				fmt.Println("error", err)
				return
			}
			n, err := io.Copy(conn, conn)
			if err != nil {
				fmt.Println("error", err)
				return
			}
			report(conn.ConnectionState(), int(n))
			conn.CloseWrite()
		}()
	}
}

func main() {
	switch {
	case len(os.Args) >= 4 && os.Args[1] == "client":
		client(os.Args[2], os.Args[3], options(os.Args[4:]))
	case len(os.Args) >= 5 && os.Args[1] == "server":
		server(os.Args[2], os.Args[3], os.Args[4], options(os.Args[5:]))
	default:
		fmt.Println("usage: see README.md")
		os.Exit(2)
	}
}

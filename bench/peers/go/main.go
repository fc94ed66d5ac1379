// Full TLS 1.3 handshakes with X25519MLKEM768 between Go's crypto/tls and itself, in memory and on one processor:
// for each side the time from making the connection to the first byte from the server, as the median over the
// handshakes. Prints lines as bench-timed does.
//
//	peer ROUND SECONDS FOLDER    FOLDER has chain.pem, key.pem and root.pem
package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"sort"
	"strconv"
	"time"
)

const host = "bench.example"

// meter sums up what one side runs. Only one goroutine runs at a time, and each stops its meter before it waits.
type meter struct {
	begun time.Time
	total time.Duration
}

func (m *meter) start() { m.begun = time.Now() }
func (m *meter) stop()  { m.total += time.Since(m.begun) }

// end is one end of a wire in memory.
type end struct {
	meter meter
	in    []byte
	wake  chan struct{}
	other *end
}

func (e *end) Read(p []byte) (int, error) {
	for len(e.in) == 0 {
		e.meter.stop()
		_, open := <-e.wake
		e.meter.start()
		if !open {
			return 0, io.EOF
		}
	}
	n := copy(p, e.in)
	e.in = e.in[n:]
	return n, nil
}

func (e *end) Write(p []byte) (int, error) {
	e.other.in = append(e.other.in, p...)
	select {
	case e.other.wake <- struct{}{}:
	default:
	}
	return len(p), nil
}

func (e *end) Close() error                     { return nil }
func (e *end) LocalAddr() net.Addr              { return nil }
func (e *end) RemoteAddr() net.Addr             { return nil }
func (e *end) SetDeadline(time.Time) error      { return nil }
func (e *end) SetReadDeadline(time.Time) error  { return nil }
func (e *end) SetWriteDeadline(time.Time) error { return nil }

func must(err error) {
	if err != nil {
		log.Fatal("bench: go: ", err)
	}
}

// shake makes one handshake and returns the microseconds of the client and the server.
func shake(client, server *tls.Config) (float64, float64) {
	c, s := &end{wake: make(chan struct{}, 1)}, &end{wake: make(chan struct{}, 1)}
	c.other, s.other = s, c
	done := make(chan struct{})
	go func() {
		s.meter.start()
		conn := tls.Server(s, server)
		must(conn.Handshake())
		_, err := conn.Write([]byte("!"))
		must(err)
		s.meter.stop()
		close(done)
	}()
	c.meter.start()
	conn := tls.Client(c, client)
	must(conn.Handshake())
	_, err := io.ReadFull(conn, make([]byte, 1))
	must(err)
	c.meter.stop()
	<-done
	if conn.ConnectionState().CurveID != tls.X25519MLKEM768 {
		log.Fatal("bench: go: another group was chosen")
	}
	return float64(c.meter.total.Nanoseconds()) / 1000, float64(s.meter.total.Nanoseconds()) / 1000
}

func median(v []float64) float64 {
	sort.Float64s(v)
	return v[len(v)/2]
}

func main() {
	if len(os.Args) != 4 {
		log.Fatal("usage: peer ROUND SECONDS FOLDER")
	}
	runtime.GOMAXPROCS(1)
	seconds, err := strconv.ParseFloat(os.Args[2], 64)
	must(err)
	identity, err := tls.LoadX509KeyPair(filepath.Join(os.Args[3], "chain.pem"), filepath.Join(os.Args[3], "key.pem"))
	must(err)
	pem, err := os.ReadFile(filepath.Join(os.Args[3], "root.pem"))
	must(err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	groups := []tls.CurveID{tls.X25519MLKEM768}
	server := &tls.Config{Certificates: []tls.Certificate{identity}, CurvePreferences: groups, MinVersion: tls.VersionTLS13}
	client := &tls.Config{RootCAs: roots, ServerName: host, CurvePreferences: groups, MinVersion: tls.VersionTLS13}
	var clients, servers []float64
	for i := 0; i < 20; i++ {
		shake(client, server)
	}
	for end := time.Now().Add(time.Duration(seconds * 1e9)); time.Now().Before(end) || len(clients) == 0; {
		c, s := shake(client, server)
		clients, servers = append(clients, c), append(servers, s)
	}
	fmt.Printf("tls13-hybrid-client-seen\tus\tgo\t%s\t%.6g\n", os.Args[1], median(clients))
	fmt.Printf("tls13-hybrid-server\tus\tgo\t%s\t%.6g\n", os.Args[1], median(servers))
}

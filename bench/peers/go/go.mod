module handfast/bench

go 1.24

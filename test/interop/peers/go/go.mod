module handfast/peer

go 1.19

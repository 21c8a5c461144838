module mlp

go 1.24

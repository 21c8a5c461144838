module mlp

go 1.25

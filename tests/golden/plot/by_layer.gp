set encoding utf8
set terminal svg size 2000,840 enhanced font ',14' background rgb '#ffffff'
if (!exists('picture')) picture = './by_layer.svg'
set output picture
set border 15 front lw 1 lc rgb '#cccccc'
set grid back lt 1 lw 1 lc rgb '#cccccc'
set tics scale 0
set palette defined (0 '#440154', 1 '#48186a', 2 '#472d7b', 3 '#424086', 4 '#3b528b', 5 '#33638d', 6 '#2c728e', 7 '#26828e', 8 '#21918c', 9 '#1fa088', 10 '#28ae80', 11 '#3fbc73', 12 '#5ec962', 13 '#84d44b', 14 '#addc30', 15 '#d8e219', 16 '#fde725')
set multiplot title 'Effective rank by layer (entropy-based)' noenhanced font ',20' textcolor rgb '#262626'

# panel 1
set lmargin at screen 0.03892
set rmargin at screen 0.24200
set bmargin at screen 0.54119
set tmargin at screen 0.87476
set title 'W_1 (576x1536)' . "\n" . 'μ=101.3, σ=3.1, range=10.5' offset 0,-0.6 noenhanced font ',16' textcolor rgb '#262626'
set xlabel 'Layer' offset 0,0.5 noenhanced font ',14' textcolor rgb '#262626'
set ylabel 'Effective rank' offset 0.50,0 noenhanced font ',14' textcolor rgb '#262626'
unset logscale x
set xrange [-0.5:3.5]
set format x '%.0f'
set xtics noenhanced 1 textcolor rgb '#262626'
unset logscale y
set yrange [66.475:738.025]
set format y '%.0f'
set ytics noenhanced 100 textcolor rgb '#262626'
set grid
unset colorbox
unset object 1
unset label 1
unset key
set size noratio
plot './by_layer.dat' index 0 using 1:2 with linespoints lw 1.5 pt 7 ps 0.35 lc rgb '#0072b2' notitle

# panel 2
set lmargin at screen 0.28892
set rmargin at screen 0.49200
set bmargin at screen 0.54119
set tmargin at screen 0.87476
set title 'W_2 (576x1536)' . "\n" . 'μ=101.3, σ=3.1, range=10.5' offset 0,-0.6 noenhanced font ',16' textcolor rgb '#262626'
set xlabel 'Layer' offset 0,0.5 noenhanced font ',14' textcolor rgb '#262626'
set ylabel 'Effective rank' offset 0.00,0 noenhanced font ',14' textcolor rgb '#262626'
unset logscale x
set xrange [-0.5:3.5]
set format x '%.0f'
set xtics noenhanced 1 textcolor rgb '#262626'
unset logscale y
set yrange [66.475:738.025]
set format y ''
set ytics noenhanced 100 textcolor rgb '#262626'
set grid
unset colorbox
unset object 1
unset label 1
unset key
set size noratio
plot './by_layer.dat' index 1 using 1:2 with linespoints lw 1.5 pt 7 ps 0.35 lc rgb '#0072b2' notitle

# panel 3
set lmargin at screen 0.53892
set rmargin at screen 0.74200
set bmargin at screen 0.54119
set tmargin at screen 0.87476
set title 'W_3 (576x1536)' . "\n" . 'μ=101.3, σ=3.1, range=10.5' offset 0,-0.6 noenhanced font ',16' textcolor rgb '#262626'
set xlabel 'Layer' offset 0,0.5 noenhanced font ',14' textcolor rgb '#262626'
set ylabel 'Effective rank' offset 0.00,0 noenhanced font ',14' textcolor rgb '#262626'
unset logscale x
set xrange [-0.5:3.5]
set format x '%.0f'
set xtics noenhanced 1 textcolor rgb '#262626'
unset logscale y
set yrange [66.475:738.025]
set format y ''
set ytics noenhanced 100 textcolor rgb '#262626'
set grid
unset colorbox
unset object 1
unset label 1
unset key
set size noratio
plot './by_layer.dat' index 2 using 1:2 with linespoints lw 1.5 pt 7 ps 0.35 lc rgb '#0072b2' notitle

# panel 4
set lmargin at screen 0.78892
set rmargin at screen 0.99200
set bmargin at screen 0.54119
set tmargin at screen 0.87476
set title 'W_4 (576x1536)' . "\n" . 'μ=101.3, σ=3.1, range=10.5' offset 0,-0.6 noenhanced font ',16' textcolor rgb '#262626'
set xlabel 'Layer' offset 0,0.5 noenhanced font ',14' textcolor rgb '#262626'
set ylabel 'Effective rank' offset 0.00,0 noenhanced font ',14' textcolor rgb '#262626'
unset logscale x
set xrange [-0.5:3.5]
set format x '%.0f'
set xtics noenhanced 1 textcolor rgb '#262626'
unset logscale y
set yrange [66.475:738.025]
set format y ''
set ytics noenhanced 100 textcolor rgb '#262626'
set grid
unset colorbox
unset object 1
unset label 1
unset key
set size noratio
plot './by_layer.dat' index 3 using 1:2 with linespoints lw 1.5 pt 7 ps 0.35 lc rgb '#0072b2' notitle

# panel 5
set lmargin at screen 0.03892
set rmargin at screen 0.24200
set bmargin at screen 0.06619
set tmargin at screen 0.39976
set title 'W_5 (576x1536)' . "\n" . 'μ=101.3, σ=3.1, range=10.5' offset 0,-0.6 noenhanced font ',16' textcolor rgb '#262626'
set xlabel 'Layer' offset 0,0.5 noenhanced font ',14' textcolor rgb '#262626'
set ylabel 'Effective rank' offset 0.50,0 noenhanced font ',14' textcolor rgb '#262626'
unset logscale x
set xrange [-0.5:3.5]
set format x '%.0f'
set xtics noenhanced 1 textcolor rgb '#262626'
unset logscale y
set yrange [66.475:738.025]
set format y '%.0f'
set ytics noenhanced 100 textcolor rgb '#262626'
set grid
unset colorbox
unset object 1
unset label 1
unset key
set size noratio
plot './by_layer.dat' index 4 using 1:2 with linespoints lw 1.5 pt 7 ps 0.35 lc rgb '#0072b2' notitle

# panel 6
set lmargin at screen 0.28892
set rmargin at screen 0.49200
set bmargin at screen 0.06619
set tmargin at screen 0.39976
set title 'W_6 (576x1536)' . "\n" . 'μ=101.3, σ=3.1, range=10.5' offset 0,-0.6 noenhanced font ',16' textcolor rgb '#262626'
set xlabel 'Layer' offset 0,0.5 noenhanced font ',14' textcolor rgb '#262626'
set ylabel 'Effective rank' offset 0.00,0 noenhanced font ',14' textcolor rgb '#262626'
unset logscale x
set xrange [-0.5:3.5]
set format x '%.0f'
set xtics noenhanced 1 textcolor rgb '#262626'
unset logscale y
set yrange [66.475:738.025]
set format y ''
set ytics noenhanced 100 textcolor rgb '#262626'
set grid
unset colorbox
unset object 1
unset label 1
unset key
set size noratio
plot './by_layer.dat' index 5 using 1:2 with linespoints lw 1.5 pt 7 ps 0.35 lc rgb '#0072b2' notitle

# panel 7
set lmargin at screen 0.53892
set rmargin at screen 0.74200
set bmargin at screen 0.06619
set tmargin at screen 0.39976
set title 'W_7 (576x1536)' . "\n" . 'μ=101.3, σ=3.1, range=10.5' offset 0,-0.6 noenhanced font ',16' textcolor rgb '#262626'
set xlabel 'Layer' offset 0,0.5 noenhanced font ',14' textcolor rgb '#262626'
set ylabel 'Effective rank' offset 0.00,0 noenhanced font ',14' textcolor rgb '#262626'
unset logscale x
set xrange [-0.5:3.5]
set format x '%.0f'
set xtics noenhanced 1 textcolor rgb '#262626'
unset logscale y
set yrange [66.475:738.025]
set format y ''
set ytics noenhanced 100 textcolor rgb '#262626'
set grid
unset colorbox
unset object 1
unset label 1
unset key
set size noratio
plot './by_layer.dat' index 6 using 1:2 with linespoints lw 1.5 pt 7 ps 0.35 lc rgb '#0072b2' notitle

unset multiplot
unset output

set encoding utf8
set terminal svg size 1800,520 enhanced font ',14' background rgb '#ffffff'
if (!exists('picture')) picture = './kernel.svg'
set output picture
set border 15 front lw 1 lc rgb '#cccccc'
set grid back lt 1 lw 1 lc rgb '#cccccc'
set tics scale 0
set palette defined (0 '#440154', 1 '#48186a', 2 '#472d7b', 3 '#424086', 4 '#3b528b', 5 '#33638d', 6 '#2c728e', 7 '#26828e', 8 '#21918c', 9 '#1fa088', 10 '#28ae80', 11 '#3fbc73', 12 '#5ec962', 13 '#84d44b', 14 '#addc30', 15 '#d8e219', 16 '#fde725')
set multiplot title 'Attention kernel W_Q^T W_K — Layer 3, Head 1' noenhanced font ',20' textcolor rgb '#262626'

# panel 1
set lmargin at screen 0.04122
set rmargin at screen 0.32444
set bmargin at screen 0.10692
set tmargin at screen 0.79769
set title 'Eigenvalue magnitudes (layer 3, head 1)' offset 0,-0.6 noenhanced font ',16' textcolor rgb '#262626'
set xlabel 'Index' offset 0,0.5 noenhanced font ',14' textcolor rgb '#262626'
set ylabel '|λ|' offset 0.40,0 noenhanced font ',14' textcolor rgb '#262626'
unset logscale x
set xrange [-0.15:3.15]
set format x '%.0f'
set xtics noenhanced 1 textcolor rgb '#262626'
set logscale y 10
set yrange [0.450625:4.43828]
set format y '%g'
set ytics noenhanced (0.5, 1, 2) textcolor rgb '#262626'
set grid
unset colorbox
unset object 1
unset label 1
set key inside right top Left reverse opaque fillcolor rgb '#ffffff' samplen 2 spacing 1.2 noenhanced font ',14' textcolor rgb '#262626'
set size noratio
plot './kernel.dat' index 0 using 1:2 with lines lw 1.8 lc rgb '#0072b2' title '4 non-zero, 4 zeros not drawn' noenhanced

# panel 2
set lmargin at screen 0.37456
set rmargin at screen 0.65778
set bmargin at screen 0.10692
set tmargin at screen 0.79769
set title 'Eigenvalues in complex plane' . "\n" . '(2 complex, asymmetry=1.407)' offset 0,-0.6 noenhanced font ',16' textcolor rgb '#262626'
set xlabel 'Real' offset 0,0.5 noenhanced font ',14' textcolor rgb '#262626'
set ylabel 'Imaginary' offset 0.25,0 noenhanced font ',14' textcolor rgb '#262626'
unset logscale x
set xrange [-1.37238:4.87238]
set format x '%.0f'
set xtics noenhanced 1 textcolor rgb '#262626'
unset logscale y
set yrange [-2.2:2.2]
set format y '%.0f'
set ytics noenhanced 1 textcolor rgb '#262626'
set grid
unset colorbox
unset object 1
unset label 1
unset key
set size ratio -1
plot './kernel.dat' index 2 using 1:2 with lines lw 1 lc rgb '#808080' notitle, \
     './kernel.dat' index 3 using 1:2 with lines lw 1 lc rgb '#808080' notitle, \
     './kernel.dat' index 1 using 1:2 with points pt 7 ps 0.35 lc rgb '#0072b2' notitle

# panel 3
set lmargin at screen 0.70789
set rmargin at screen 0.99111
set bmargin at screen 0.10692
set tmargin at screen 0.79769
set title 'Cumulative spectral energy (99% at 3/8 components)' offset 0,-0.6 noenhanced font ',16' textcolor rgb '#262626'
set xlabel 'Component' offset 0,0.5 noenhanced font ',14' textcolor rgb '#262626'
set ylabel 'Share of energy' offset 0.40,0 noenhanced font ',14' textcolor rgb '#262626'
unset logscale x
set xrange [0.65:8.35]
set format x '%.0f'
set xtics noenhanced 1 textcolor rgb '#262626'
unset logscale y
set yrange [0.59:1.019524]
set format y '%.1f'
set ytics noenhanced 0.1 textcolor rgb '#262626'
set grid
unset colorbox
unset object 1
unset label 1
set key inside right bottom Left reverse opaque fillcolor rgb '#ffffff' samplen 2 spacing 1.2 noenhanced font ',14' textcolor rgb '#262626'
set size noratio
plot './kernel.dat' index 5 using 1:2 with lines lw 1.6 lc rgb '#d62728' dt (8,5) title '99%' noenhanced, \
     './kernel.dat' index 6 using 1:2 with lines lw 1.6 lc rgb '#808080' dt (2,4) title 'n=3' noenhanced, \
     './kernel.dat' index 4 using 1:2 with lines lw 1.8 lc rgb '#0072b2' notitle

unset multiplot
unset output

set encoding utf8
set terminal svg size 1200,420 enhanced font ',14' background rgb '#ffffff'
if (!exists('picture')) picture = './w_down.svg'
set output picture
set border 15 front lw 1 lc rgb '#cccccc'
set grid back lt 1 lw 1 lc rgb '#cccccc'
set tics scale 0
set palette defined (0 '#440154', 1 '#48186a', 2 '#472d7b', 3 '#424086', 4 '#3b528b', 5 '#33638d', 6 '#2c728e', 7 '#26828e', 8 '#21918c', 9 '#1fa088', 10 '#28ae80', 11 '#3fbc73', 12 '#5ec962', 13 '#84d44b', 14 '#addc30', 15 '#d8e219', 16 '#fde725')
set multiplot

# panel 1
set lmargin at screen 0.06183
set rmargin at screen 0.48667
set bmargin at screen 0.13238
set tmargin at screen 0.88190
set title 'Variance explained per component' offset 0,-0.6 noenhanced font ',16' textcolor rgb '#262626'
set xlabel 'Component' offset 0,0.5 noenhanced font ',14' textcolor rgb '#262626'
set ylabel 'Share of variance' offset 0.40,0 noenhanced font ',14' textcolor rgb '#262626'
unset logscale x
set xrange [0.8:5.2]
set format x '%.0f'
set xtics noenhanced 1 textcolor rgb '#262626'
unset logscale y
set yrange [-0.01975:0.52475]
set format y '%.1f'
set ytics noenhanced 0.1 textcolor rgb '#262626'
set grid
unset colorbox
unset object 1
unset label 1
unset key
set size noratio
plot './w_down.dat' index 0 using 1:2 with lines lw 1.8 lc rgb '#0072b2' notitle

# panel 2
set lmargin at screen 0.56183
set rmargin at screen 0.98667
set bmargin at screen 0.13238
set tmargin at screen 0.88190
set title 'Cumulative variance (99% at 4/5 components)' offset 0,-0.6 noenhanced font ',16' textcolor rgb '#262626'
set xlabel 'Component' offset 0,0.5 noenhanced font ',14' textcolor rgb '#262626'
set ylabel 'Share of variance' offset 0.40,0 noenhanced font ',14' textcolor rgb '#262626'
unset logscale x
set xrange [0.8:5.2]
set format x '%.0f'
set xtics noenhanced 1 textcolor rgb '#262626'
unset logscale y
set yrange [0.475:1.025]
set format y '%.1f'
set ytics noenhanced 0.1 textcolor rgb '#262626'
set grid
unset colorbox
unset object 1
unset label 1
set key inside right bottom Left reverse opaque fillcolor rgb '#ffffff' samplen 2 spacing 1.2 noenhanced font ',14' textcolor rgb '#262626'
set size noratio
plot './w_down.dat' index 2 using 1:2 with lines lw 1.6 lc rgb '#d62728' dt (8,5) title '99%' noenhanced, \
     './w_down.dat' index 3 using 1:2 with lines lw 1.6 lc rgb '#808080' dt (2,4) title 'n=4' noenhanced, \
     './w_down.dat' index 1 using 1:2 with lines lw 1.8 lc rgb '#0072b2' notitle

unset multiplot
unset output

set encoding utf8
set terminal svg size 1500,800 enhanced font ',14' background rgb '#ffffff'
if (!exists('picture')) picture = './general.svg'
set output picture
set border 15 front lw 1 lc rgb '#cccccc'
set grid back lt 1 lw 1 lc rgb '#cccccc'
set tics scale 0
set palette defined (0 '#440154', 1 '#48186a', 2 '#472d7b', 3 '#424086', 4 '#3b528b', 5 '#33638d', 6 '#2c728e', 7 '#26828e', 8 '#21918c', 9 '#1fa088', 10 '#28ae80', 11 '#3fbc73', 12 '#5ec962', 13 '#84d44b', 14 '#addc30', 15 '#d8e219', 16 '#fde725')
set multiplot title 'all styles' noenhanced font ',20' textcolor rgb '#262626'

# panel 1
set lmargin at screen 0.04760
set rmargin at screen 0.32267
set bmargin at screen 0.54325
set tmargin at screen 0.89550
set title 'lines' offset 0,-0.6 noenhanced font ',16' textcolor rgb '#262626'
set xlabel 'x' offset 0,0.5 noenhanced font ',14' textcolor rgb '#262626'
set ylabel 'y' offset 0.00,0 noenhanced font ',14' textcolor rgb '#262626'
unset logscale x
set xrange [-0.15:3.15]
set format x '%.1f'
set xtics noenhanced 0.5 textcolor rgb '#262626'
unset logscale y
set yrange [0.6:9.4]
set format y '%.0f'
set ytics noenhanced 2 textcolor rgb '#262626'
set grid
unset colorbox
unset object 1
unset label 1
set key inside left top Left reverse opaque fillcolor rgb '#ffffff' samplen 2 spacing 1.2 noenhanced font ',14' textcolor rgb '#262626'
set size noratio
plot './general.dat' index 2 using 1:2 with lines lw 1.6 lc rgb '#112233' dt (2,4) notitle, \
     './general.dat' index 0 using 1:2 with lines lw 1.8 lc rgb '#0072b2' title 'a' noenhanced, \
     './general.dat' index 1 using 1:2 with linespoints lw 1.5 pt 7 ps 0.35 lc rgb '#d55e00' title 'b' noenhanced, \
     NaN with lines lw 1.8 lc rgb '#009e73' title 'c (no finite values)' noenhanced

# panel 2
set lmargin at screen 0.38093
set rmargin at screen 0.65600
set bmargin at screen 0.54325
set tmargin at screen 0.89550
set title 'bars' offset 0,-0.6 noenhanced font ',16' textcolor rgb '#262626'
unset xlabel
unset ylabel
unset logscale x
set xrange [-0.54:2.54]
set format x '%.0f'
set xtics noenhanced 1 textcolor rgb '#262626'
unset logscale y
set yrange [-3.25:2.25]
set format y '%.0f'
set ytics noenhanced 1 textcolor rgb '#262626'
set grid
unset colorbox
unset object 1
unset label 1
unset key
set size noratio
plot './general.dat' index 3 using 1:2:3 with boxes fs solid 0.8 noborder lc rgb '#0072b2' notitle

# panel 4
set lmargin at screen 0.04760
set rmargin at screen 0.32267
set bmargin at screen 0.06950
set tmargin at screen 0.42175
set title 'band' offset 0,-0.6 noenhanced font ',16' textcolor rgb '#262626'
unset xlabel
unset ylabel
unset logscale x
set xrange [-0.05:1.05]
set format x '%.0f'
set xtics noenhanced 1 textcolor rgb '#262626'
unset logscale y
set yrange [0.85:4.15]
set format y '%.1f'
set ytics noenhanced 0.5 textcolor rgb '#262626'
set grid
unset colorbox
unset object 1
unset label 1
unset key
set size noratio
plot './general.dat' index 4 using 1:2:3 with filledcurves fs transparent solid 0.3 noborder lc rgb '#009e73' notitle

# panel 5
set lmargin at screen 0.38093
set rmargin at screen 0.65600
set bmargin at screen 0.06950
set tmargin at screen 0.42175
set title 'histogram' offset 0,-0.6 noenhanced font ',16' textcolor rgb '#262626'
unset xlabel
unset ylabel
unset logscale x
set xrange [0.6:9.4]
set format x '%.0f'
set xtics noenhanced 2 textcolor rgb '#262626'
unset logscale y
set yrange [-0.15:3.15]
set format y '%.1f'
set ytics noenhanced 0.5 textcolor rgb '#262626'
set grid
unset colorbox
unset object 1
unset label 1
unset key
set size noratio
plot './general.dat' index 5 using 1:2:3 with boxes fs solid 0.8 noborder lc rgb '#0072b2' notitle

# panel 6
set lmargin at screen 0.71427
set rmargin at screen 0.98933
set bmargin at screen 0.06950
set tmargin at screen 0.42175
set title 'log' offset 0,-0.6 noenhanced font ',16' textcolor rgb '#262626'
unset xlabel
unset ylabel
set logscale x 10
set xrange [0.562341:177828]
set format x '10^{%T}'
set xtics enhanced (1, 10, 100, 1000, 10000, 100000) textcolor rgb '#262626'
set logscale y 10
set yrange [8.91251e-11:11220200000000]
set format y '10^{%T}'
set ytics enhanced (1e-10, 1e-07, 0.0001, 0.1, 100, 100000, 100000000, 100000000000) textcolor rgb '#262626'
set grid
unset colorbox
unset object 1
unset label 1
unset key
set size noratio
plot './general.dat' index 6 using 1:2 with points pt 7 ps 0.35 lc rgb '#0072b2' notitle

unset multiplot
unset output

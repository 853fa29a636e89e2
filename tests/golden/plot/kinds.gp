set encoding utf8
set terminal svg size 1800,840 enhanced font ',14' background rgb '#ffffff'
if (!exists('picture')) picture = './kinds.svg'
set output picture
set border 15 front lw 1 lc rgb '#cccccc'
set grid back lt 1 lw 1 lc rgb '#cccccc'
set tics scale 0
set palette defined (0 '#440154', 1 '#48186a', 2 '#472d7b', 3 '#424086', 4 '#3b528b', 5 '#33638d', 6 '#2c728e', 7 '#26828e', 8 '#21918c', 9 '#1fa088', 10 '#28ae80', 11 '#3fbc73', 12 '#5ec962', 13 '#84d44b', 14 '#addc30', 15 '#d8e219', 16 '#fde725')
set multiplot title 'kinds' noenhanced font ',20' textcolor rgb '#262626'

# panel 1
set lmargin at screen 0.03967
set rmargin at screen 0.26289
set bmargin at screen 0.51452
set tmargin at screen 0.90048
set title 'lines' offset 0,-0.6 noenhanced font ',16' textcolor rgb '#262626'
unset xlabel
unset ylabel
unset logscale x
set xrange [-0.1:2.1]
set format x '%.0f'
set xtics noenhanced 1 textcolor rgb '#262626'
unset logscale y
set yrange [0:4]
set format y '%.1f'
set ytics noenhanced 0.5 textcolor rgb '#262626'
set grid
unset colorbox
unset object 1
unset label 1
set key inside right top Left reverse opaque fillcolor rgb '#ffffff' samplen 2 spacing 1.2 noenhanced font ',14' textcolor rgb '#262626'
set size noratio
set label 2 'it''s' at 0,3 left offset 0.6,0 front noenhanced font ',14' textcolor rgb '#262626'
set label 3 'r' at 2,2 right offset -0.6,0 front noenhanced font ',14' textcolor rgb '#d62728'
plot './kinds.dat' index 2 using 1:2 with filledcurves closed fs transparent solid 0.2 noborder lc rgb '#e69f00' title 'phase' noenhanced, \
     './kinds.dat' index 3 using 1:2 with filledcurves closed fs transparent solid 0.2 noborder lc rgb '#808080' notitle, \
     './kinds.dat' index 0 using 1:2 with lines lw 1.8 lc rgb '#0072b2' notitle, \
     './kinds.dat' index 0 using 1:3:(0):($4-$3) with vectors heads size graph 0.008,90 nofilled lw 1.2 lc rgb '#0072b2' notitle, \
     './kinds.dat' index 1 using 1:2 with points pt 7 ps 0.35 lc rgb '#d55e00' title 'b' noenhanced, \
     './kinds.dat' index 1 using 1:3:(0):($4-$3) with vectors heads size graph 0.008,90 nofilled lw 1.2 lc rgb '#d55e00' notitle
unset label 2
unset label 3

# panel 2
set lmargin at screen 0.37300
set rmargin at screen 0.59622
set bmargin at screen 0.51452
set tmargin at screen 0.90048
set title 'bars' offset 0,-0.6 noenhanced font ',16' textcolor rgb '#262626'
unset xlabel
unset ylabel
unset logscale x
set xrange [-0.49:1.49]
set format x '%g'
set xtics noenhanced ('W_Q' 0, '50%%' 1) textcolor rgb '#262626'
unset logscale y
set yrange [-0.3:6.3]
set format y '%.0f'
set ytics noenhanced 1 textcolor rgb '#262626'
set grid
unset colorbox
unset object 1
unset label 1
unset key
set size noratio
plot './kinds.dat' index 4 using 1:2:3 with boxes fs solid 0.8 noborder lc rgb '#0072b2' notitle, \
     './kinds.dat' index 4 using 1:4:(0):($5-$4) with vectors heads size graph 0.008,90 nofilled lw 1.2 lc rgb '#262626' notitle

# panel 3
set lmargin at screen 0.70633
set rmargin at screen 0.92956
set bmargin at screen 0.51452
set tmargin at screen 0.90048
set title 'grouped' offset 0,-0.6 noenhanced font ',16' textcolor rgb '#262626'
unset xlabel
unset ylabel
unset logscale x
set xrange [-0.49:1.49]
set format x '%g'
set xtics noenhanced ('a' 0, 'b' 1) textcolor rgb '#262626'
unset logscale y
set yrange [-0.1:2.1]
set format y '%.1f'
set ytics noenhanced 0.5 textcolor rgb '#262626'
set grid
unset colorbox
unset object 1
unset label 1
unset key
set size noratio
plot './kinds.dat' index 5 using 1:2:3 with boxes fs solid 0.8 noborder lc rgb '#0072b2' notitle, \
     './kinds.dat' index 6 using 1:2:3 with boxes fs solid 0.8 noborder lc rgb '#d55e00' notitle

# panel 4
set lmargin at screen 0.03967
set rmargin at screen 0.26289
set bmargin at screen 0.03952
set tmargin at screen 0.42548
set title 'counts' offset 0,-0.6 noenhanced font ',16' textcolor rgb '#262626'
unset xlabel
unset ylabel
unset logscale x
set xrange [-0.2:4.2]
set format x '%.0f'
set xtics noenhanced 1 textcolor rgb '#262626'
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
plot './kinds.dat' index 7 using 1:2:3 with boxes fs solid 0.8 noborder lc rgb '#0072b2' notitle

# panel 5
set lmargin at screen 0.37300
set rmargin at screen 0.59622
set bmargin at screen 0.03952
set tmargin at screen 0.42548
unset title
unset xlabel
unset ylabel
unset logscale x
set xrange [-0.5:1.5]
set format x '%g'
set xtics noenhanced ('0' 0, '1' 1) textcolor rgb '#262626'
unset logscale y
set yrange [1.5:-0.5]
set format y '%g'
set ytics noenhanced ('u' 0, 'v' 1) textcolor rgb '#262626'
unset grid
set colorbox user origin screen 0.60733,0.03952 size screen 0.01333,0.38595 noborder
set cbrange [1:4]
set format cb '%.1f'
set cbtics noenhanced 0.5 textcolor rgb '#262626'
set cblabel 'z' offset 1.4,0 noenhanced font ',14' textcolor rgb '#262626'
set object 1 rectangle from graph 0,0 to graph 1,1 behind fillcolor rgb '#d9d9d9' fillstyle solid noborder
set label 1 'grey: gone' at graph 1,0 right offset 0,-2.2 noenhanced font ',14' textcolor rgb '#262626'
unset key
set size noratio
plot './kinds.dat' index 8 using 1:2:3 with image pixels notitle

# panel 6
set lmargin at screen 0.70633
set rmargin at screen 0.92956
set bmargin at screen 0.03952
set tmargin at screen 0.42548
unset title
unset xlabel
unset ylabel
set logscale x 10
set xrange [0.891251:11.2202]
set format x '10^{%T}'
set xtics enhanced (1, 10) textcolor rgb '#262626'
set logscale y 10
set yrange [0.778387:192.706]
set format y '10^{%T}'
set ytics enhanced (1, 10, 100) textcolor rgb '#262626'
set grid
unset colorbox
unset object 1
unset label 1
unset key
set size noratio
plot './kinds.dat' index 9 using 1:2 with points pt 7 ps 0.35 lc rgb '#0072b2' notitle, \
     './kinds.dat' index 9 using 1:3:(0):($4-$3) with vectors heads size graph 0.008,90 nofilled lw 1.2 lc rgb '#0072b2' notitle

unset multiplot
unset output

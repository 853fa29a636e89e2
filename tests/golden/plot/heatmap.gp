set encoding utf8
set terminal svg size 1400,800 enhanced font ',14' background rgb '#ffffff'
if (!exists('picture')) picture = './heatmap.svg'
set output picture
set border 15 front lw 1 lc rgb '#cccccc'
set grid back lt 1 lw 1 lc rgb '#cccccc'
set tics scale 0
set palette defined (0 '#440154', 1 '#48186a', 2 '#472d7b', 3 '#424086', 4 '#3b528b', 5 '#33638d', 6 '#2c728e', 7 '#26828e', 8 '#21918c', 9 '#1fa088', 10 '#28ae80', 11 '#3fbc73', 12 '#5ec962', 13 '#84d44b', 14 '#addc30', 15 '#d8e219', 16 '#fde725')
set multiplot

# panel 1
set lmargin at screen 0.04940
set rmargin at screen 0.91303
set bmargin at screen 0.06950
set tmargin at screen 0.93800
set title 'Attention Kernel Effective Rank (W_Q_h^T @ W_K_h) — All Layers × Heads' offset 0,-0.6 noenhanced font ',16' textcolor rgb '#262626'
set xlabel 'Head' offset 0,0.5 noenhanced font ',14' textcolor rgb '#262626'
set ylabel 'Layer' offset 0.25,0 noenhanced font ',14' textcolor rgb '#262626'
unset logscale x
set xrange [-0.5:2.5]
set format x '%g'
set xtics noenhanced ('0' 0, '1' 1, '2' 2) textcolor rgb '#262626'
unset logscale y
set yrange [13.5:-0.5]
set format y '%g'
set ytics noenhanced ('0' 0, '1' 1, '2' 2, '3' 3, '4' 4, '5' 5, '6' 6, '7' 7, '8' 8, '9' 9, '10' 10, '11' 11, '12' 12, '13' 13) textcolor rgb '#262626'
unset grid
set colorbox user origin screen 0.92731,0.06950 size screen 0.01714,0.86850 noborder
set cbrange [11:52]
set format cb '%.0f'
set cbtics noenhanced 10 textcolor rgb '#262626'
set cblabel 'Effective rank' offset 1.4,0 noenhanced font ',14' textcolor rgb '#262626'
unset object 1
unset label 1
unset key
set size noratio
plot './heatmap.dat' index 0 using 1:2:3 with image pixels notitle

unset multiplot
unset output

package dedupe

import (
	"strconv"
	"strings"
	"sync"
)

// The commonest names of the United States, as shares in the whole population per million. They are what a small
// district's own counts are shrunk towards, so that its only Smith is not taken for a rare bird.
//
// Sources, both by the United States Census Bureau and in the public domain: "Frequently Occurring Surnames from the
// 2010 Census" (counts over 294,979,229 people), the first hundred; "Frequently Occurring Names in the U.S. 1990", the
// first fifty of each sex, halved because each share is one of men or of women. Figures are rounded and were entered by hand; how much a name
// weighs hangs on their size, not on their last digits.
const surnameTable = `
smith 8282 johnson 6552 williams 5510 brown 4872 jones 4832 garcia 3953 miller 3937 davis 3785 rodriguez 3712
martinez 3594 hernandez 3537 lopez 2965 gonzalez 2851 wilson 2718 anderson 2659 thomas 2563 taylor 2547 moore 2456
jackson 2401 martin 2382 lee 2349 perez 2311 thompson 2253 white 2239 harris 2116 sanchez 2077 clark 1908 ramirez 1890
lewis 1803 robinson 1796 walker 1773 young 1642 allen 1636 king 1578 wright 1556 scott 1490 torres 1484 nguyen 1484
hill 1474 flores 1471 green 1458 adams 1451 nelson 1441 baker 1422 hall 1380 rivera 1326 campbell 1309 mitchell 1303
carter 1278 roberts 1277 gomez 1240 phillips 1223 evans 1206 turner 1182 diaz 1179 parker 1140 cruz 1133 edwards 1127
collins 1118 reyes 1112 stewart 1102 morris 1081 morales 1057 murphy 1046 cook 1026 rogers 1025 gutierrez 994 ortiz 973
morgan 971 cooper 952 peterson 943 bailey 942 reed 939 kelly 906 howard 898 ramos 893 kim 889 cox 886 ward 883
richardson 881 watson 856 brooks 853 chavez 851 wood 850 james 845 bennett 839 gray 834 mendoza 823 ruiz 808 hughes 801
price 798 alvarez 793 castillo 781 sanders 781 patel 780 myers 779 long 778 ross 778 foster 772 jimenez 770`

const givenTable = `
james 16590 john 16355 robert 15715 michael 13145 william 12255 david 11815 richard 8515 charles 7615 joseph 7020
thomas 6900 christopher 5175 daniel 4870 paul 4740 mark 4690 donald 4655 george 4635 kenneth 4130 steven 3900 edward 3895
brian 3680 ronald 3625 anthony 3605 kevin 3355 jason 3300 matthew 3285 gary 3250 timothy 3200 jose 3065 larry 2990
jeffrey 2955 frank 2905 scott 2730 eric 2720 stephen 2700 andrew 2685 raymond 2440 gregory 2205 joshua 2175 jerry 2160
dennis 2075 walter 1995 patrick 1945 peter 1905 harold 1855 douglas 1835 henry 1825 carl 1730 arthur 1675 ryan 1640
roger 1610
mary 13145 patricia 5365 linda 5175 barbara 4900 elizabeth 4685 jennifer 4660 maria 4140 susan 3970 margaret 3840
dorothy 3635 lisa 3520 nancy 3345 karen 3335 betty 3330 helen 3315 sandra 3145 donna 2915 carol 2825 ruth 2810
sharon 2610 michelle 2595 laura 2550 sarah 2540 kimberly 2520 deborah 2470 jessica 2450 shirley 2410 cynthia 2345
angela 2340 melissa 2310 brenda 2275 amy 2255 anna 2200 rebecca 2150 virginia 2150 kathleen 2120 pamela 2080 martha 2060
debra 2040 amanda 2020 stephanie 2000 carolyn 1925 christine 1910 marie 1895 janet 1895 catherine 1865 frances 1850
ann 1820 joyce 1820 diane 1795`

// Shares per million of a name that neither table lists: well below their last lines, and not next to nothing, since
// half of all people have such a name.
const (
	unlistedSurname = 20
	unlistedGiven   = 50
)

// backOff is how many people the census speaks for beside a district's own.
const backOff = 1000

var (
	surnameShares = sync.OnceValue(func() map[string]int { return shares(surnameTable) })
	givenShares   = sync.OnceValue(func() map[string]int { return shares(givenTable) })
)

func shares(table string) map[string]int {
	out := map[string]int{}
	fields := strings.Fields(table)
	for i := 0; i+1 < len(fields); i += 2 {
		n, err := strconv.Atoi(fields[i+1])
		if err != nil {
			panic("dedupe: census table: " + err.Error()) // a typing error in this file; its test runs through here
		}
		out[fields[i]] = n
	}
	return out
}

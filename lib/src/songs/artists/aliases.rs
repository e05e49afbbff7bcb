//! Artists whom lists and Spotify call by different names: in another script, or by a stage name. Nothing but knowing
//! tells that 아이유 is IU. Only names that nobody else goes by.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::songs::normal::Text;

/// Between two names of one artist.
const OR: &str = " | ";

/// One artist a line. Chinese names in either form: they are compared in one.
const NAMES: &str = "\
BTS | 방탄소년단 | 防弾少年団
BLACKPINK | 블랙핑크
IU | 아이유
PSY | 싸이
BIGBANG | 빅뱅
2NE1 | 투애니원
Girls' Generation | 소녀시대 | 少女時代 | SNSD
Wonder Girls | 원더걸스
Red Velvet | 레드벨벳
TWICE | 트와이스
EXO | 엑소
SHINee | 샤이니
Super Junior | 슈퍼주니어
SEVENTEEN | 세븐틴
NewJeans | 뉴진스
aespa | 에스파
IVE | 아이브
ITZY | 있지
LE SSERAFIM | 르세라핌
(G)I-DLE | (여자)아이들 | i-dle
Stray Kids | 스트레이 키즈
TOMORROW X TOGETHER | 투모로우바이투게더 | TXT
ENHYPEN | 엔하이픈
ATEEZ | 에이티즈
MAMAMOO | 마마무
G-DRAGON | 지드래곤
TAEYEON | 태연
Jung Kook | 정국
j-hope | 제이홉
ROSÉ | 로제
JENNIE | 제니
JISOO | 지수
Epik High | 에픽하이
Zion.T | 자이언티
Heize | 헤이즈
AKMU | 악동뮤지션 | 악뮤 | AKDONG MUSICIAN
BOL4 | 볼빨간사춘기 | Bolbbalgan4
10CM | 십센치
DAY6 | 데이식스
YOUNHA | 윤하
Ailee | 에일리
Yerin Baek | 백예린
Lee Mujin | 이무진
Lim Young Woong | 임영웅
Sung Si Kyung | 성시경
Park Hyo Shin | 박효신
Kim Kwang Seok | 김광석
Busker Busker | 버스커 버스커
HYUKOH | 혁오
JANNABI | 잔나비
MeloMance | 멜로망스
Paul Kim | 폴킴
Davichi | 다비치
g.o.d | 지오디
Bruno Mars | 브루노 마스
Ed Sheeran | 에드 시런
Taylor Swift | 테일러 스위프트
Charlie Puth | 찰리 푸스
Justin Bieber | 저스틴 비버
Ariana Grande | 아리아나 그란데
Billie Eilish | 빌리 아일리시
Coldplay | 콜드플레이
Maroon 5 | 마룬파이브
The Beatles | 비틀즈 | ビートルズ | ザ・ビートルズ
Hikaru Utada | 宇多田ヒカル
Kenshi Yonezu | 米津玄師
Fujii Kaze | 藤井風
Aimyon | あいみょん
Sheena Ringo | 椎名林檎
Tokyo Jihen | 東京事変
Spitz | スピッツ
Official HIGE DANdism | Official髭男dism
ZUTOMAYO | ずっと真夜中でいいのに。
Yorushika | ヨルシカ
Kyary Pamyu Pamyu | きゃりーぱみゅぱみゅ
Gen Hoshino | 星野源
Mariya Takeuchi | 竹内まりや
Miki Matsubara | 松原みき
Tatsuro Yamashita | 山下達郎
Yumi Matsutoya | 松任谷由実
Kyu Sakamoto | 坂本九
Joe Hisaishi | 久石譲
Hatsune Miku | 初音ミク
Ikimonogakari | いきものがかり
Sakanaction | サカナクション
Southern All Stars | サザンオールスターズ
Namie Amuro | 安室奈美恵
Ayumi Hamasaki | 浜崎あゆみ
Yoko Takahashi | 高橋洋子
Lilas Ikuta | 幾田りら
Masaki Suda | 菅田将暉
Motohiro Hata | 秦基博
Mone Kamishiraishi | 上白石萌音
Jay Chou | 周杰倫
Mayday | 五月天
G.E.M. | 鄧紫棋 | G.E.M. 鄧紫棋
Teresa Teng | 鄧麗君
Eason Chan | 陳奕迅
Leslie Cheung | 張國榮
JJ Lin | 林俊傑
Jolin Tsai | 蔡依林
A-Mei | 張惠妹
Faye Wong | 王菲
Hebe Tien | 田馥甄
Stefanie Sun | 孫燕姿
Li Ronghao | 李榮浩
Joker Xue | 薛之謙
Jacky Cheung | 張學友
Andy Lau | 劉德華
Leehom Wang | 王力宏
David Tao | 陶喆
Accusefive | 告五人
Kino | Кино
Viktor Tsoi | Виктор Цой
Zemfira | Земфира
Molchat Doma | Молчат Дома
Alla Pugacheva | Алла Пугачёва
Mumiy Troll | Мумий Тролль
Okean Elzy | Океан Ельзи
Zveri | Звери
Bi-2 | Би-2
Amr Diab | عمرو دياب
Fairuz | فيروز
Umm Kulthum | أم كلثوم | Oum Kalthoum
Nancy Ajram | نانسي عجرم
Abdel Halim Hafez | عبد الحليم حافظ
Omer Adam | עומר אדם
Ofra Haza | עפרה חזה
Mikis Theodorakis | Μίκης Θεοδωράκης
Helena Paparizou | Έλενα Παπαρίζου
Haris Alexiou | Χάρις Αλεξίου
Arijit Singh | अरिजीत सिंह
Lata Mangeshkar | लता मंगेशकर
A. R. Rahman | ए. आर. रहमान
Kishore Kumar | किशोर कुमार
Bodyslam | บอดี้สแลม
Palmy | ปาล์มมี่
Jimi Hendrix | The Jimi Hendrix Experience
Antônio Carlos Jobim | Tom Jobim
Kanye West | Ye
The Notorious B.I.G. | Biggie Smalls
";

/// The other names of an artist, as written; empty for one who has none here.
pub(super) fn others(name: &Text) -> impl Iterator<Item = &'static str> {
    let own = key(name);
    let line = LINES.get(own.as_str()).copied().unwrap_or_default();
    let names = line.split(OR).filter(|other| !other.is_empty());
    names.filter(move |other| key(&Text::new(other)) != own)
}

static LINES: LazyLock<HashMap<String, &'static str>> = LazyLock::new(|| {
    let names = NAMES
        .lines()
        .flat_map(|line| line.split(OR).map(move |name| (key(&Text::new(name)), line)));
    names.collect()
});

fn key(name: &Text) -> String {
    name.simplified_words().concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn artists_are_known_by_each_of_their_names() {
        let others = |name: &str| others(&Text::new(name)).collect::<Vec<_>>();
        assert_eq!(others("아이유"), ["IU"]);
        assert_eq!(others("周杰伦"), ["Jay Chou"]);
        assert_eq!(others("bts"), ["방탄소년단", "防弾少年団"]);
        assert_eq!(others("Nobody"), [""; 0]);
    }

    #[test]
    fn nobody_shares_a_name() {
        let names = NAMES.lines().flat_map(|line| line.split(OR));
        assert_eq!(names.count(), LINES.len());
    }
}

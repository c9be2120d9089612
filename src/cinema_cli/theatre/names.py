"""Names for puppets: real ones of many cultures, and names invented from syllables.

Half of the cast is invented, so that a model cannot know a name by heart: it has to bind
whatever a stranger types to the look that the movie gave it.
"""

import random

REAL = """
Ada Adam Adela Adriana Agnes Ahmed Aiko Aisha Akira Alba Alejandro Alexei Alice Alma Amara Amélie
Amina Amir Amos Ana Anders Andrea Andrzej Anika Anna Anouk Antonio Anya Aoife Ari Arjun Arthur
Arturo Asha Astrid Ayla Aziz Bao Barbara Bashir Beatrix Bella Ben Benedikt Bianca Björn Bo Boris
Branka Brigid Bruno Camila Carla Carlos Carmen Caspar Cecilia Celia Chandra Chen Chiara Chidi Chloe
Clara Claude Cora Cosmo Cyrus Daisy Dalia Damian Dana Daniel Darko David Dawit Delia Demir Diego
Dina Dmitri Dolores Dora Dunja Edda Edgar Edith Efua Elena Elias Elif Elin Ella Elmar Elsa Emeka
Emil Emine Emma Enrique Enzo Eric Esther Etta Eva Fadi Farah Fatima Felix Fern Fiona Finn Flora
Francesca Frank Freya Frida Fumiko Gabriel Gabor Gaia Gemma George Gerda Giorgos Giulia Goran Grace
Greta Gudrun Guido Gustav Hadiya Hana Hannah Hans Haruki Hassan Hazel Hector Hedda Heidi Helga
Henrik Henry Hiro Hope Hugo Ida Idris Ifeoma Ilse Imani Imran Ines Inga Ingrid Ioana Irena Iris
Isaac Isla Ivan Ivo Jack Jakob Jamal Jan Jana Jasper Javier Jelena Jin Joan Joao Joel Johan Jonas
Jorge José Josef Juan Judith Jules Julia Jun June Kai Kaito Kamal Karim Karl Kasia Kate Keiko Kemal
Kenji Khadija Kiran Kira Klara Klaus Kofi Kostas Kwame Lars Laszlo Laura Layla Lea Leif Leila Lena
Leo Leon Levi Lila Lin Linh Lisbet Liv Lola Lorenzo Lotte Louis Luca Lucia Lucy Luis Luna Luz Maeve
Magda Mai Maja Malik Manuel Mara Marco Maren Maria Marius Marta Martin Mateo Mathilde Max Maya
Mehmet Mei Mila Milan Milo Mina Ming Mira Miriam Mohammed Moira Mona Moritz Musa Nadia Naomi Natasha
Neema Nell Nia Nico Niels Niko Nils Nina Nnamdi Noa Noah Nora Nuria Odile Ola Olaf Olga Oliver Olive
Omar Oscar Otis Otto Pablo Paloma Paul Pavel Pedro Penny Per Petra Pia Pierre Pilar Piotr Poppy
Priya Quentin Quinn Rafael Rahel Raj Ramona Rana Raquel Ravi Reza Rita Robin Rocco Rosa Rose Ruben
Rufus Runa Ruth Sadia Saga Salma Sam Samir Sana Sander Sara Sasha Selma Serge Shira Sigrid Silas
Simone Siobhán Sofia Sol Sonja Soraya Stefan Stella Sunita Sven Sylvie Tala Tamar Tanja Tariq Tessa
Thea Theo Thomas Tilda Tim Timur Tobias Tomas Tove Tuan Uma Umar Una Ursula Vera Victor Vikram Viola
Vito Wanda Wei Willa Wilhelm Xenia Xiomara Yael Yara Yasmin Yuki Yusuf Yves Zahra Zara Zeno Zita Zoe
Zoë Zofia Zora Anna-Lena Jean-Luc Mary-Jane O'Brien O'Neill D'Arcy
Мира Анна Иван Ольга Тарас Юрий Елена Νίκος Ελένη Άννα Σοφία Γιώργος 美玲 小明 李伟 王芳 太郎 花子 さくら
ハルト
민수 지은 영희 하나 مريم يوسف ليلى سامي דוד רחל נועם תמר मीरा अर्जुन प्रिया रवि สมชาย มาลี ნინო გიორგი Անի Արամ
"""
REAL_NAMES: tuple[str, ...] = tuple(REAL.split())

ROLES = """
Baker Captain Child Clown Cook Doctor Farmer Fisher Fox Giant Gardener Girl Boy Guard Hunter Keeper
King Knight Maid Man Miller Mother Father Old_Man Old_Woman Painter Pilot Pirate Prince Princess
Queen Robber Sailor Smith Stranger Teacher Thief Traveller Watchman Wizard Witch Wolf Woman
"""
ROLE_NAMES: tuple[str, ...] = tuple(f"The {role.replace('_', ' ')}" for role in ROLES.split())
"""People without a name, as a planner calls them."""

ONSETS = ("b", "br", "c", "ch", "d", "dr", "f", "fl", "g", "gr", "h", "j", "k", "kr", "l", "m", "n", "p",
          "pr", "qu", "r", "s", "sh", "sk", "st", "t", "th", "tr", "v", "w", "y", "z", "", "")  # fmt: skip
VOWELS = ("a", "a", "e", "e", "i", "i", "o", "o", "u", "ai", "ea", "io", "oo")
CODAS = ("l", "m", "n", "r", "s", "x", "k", "th", "nd", "rn")
ENDINGS = ("a", "o", "i", "e", "in", "on", "us", "el", "is", "ra", "ly", "mo", "ka", "na", "ni", "an", "eth",
           "or", "ix")  # fmt: skip


def invent_name(rng: random.Random) -> str:
    """A pronounceable name that nobody has: one or two syllables and an ending."""
    name = ""
    for _ in range(rng.choice((1, 1, 2))):
        name += rng.choice(ONSETS) + rng.choice(VOWELS) + (rng.choice(CODAS) if rng.random() < 0.4 else "")
    return (name + rng.choice(ONSETS) + rng.choice(ENDINGS)).capitalize()


def draw_names(rng: random.Random, count: int) -> list[str]:
    """``count`` different names."""
    names: list[str] = []
    while len(names) < count:
        name = draw_name(rng)
        if name not in names:
            names.append(name)
    return names


def draw_name(rng: random.Random) -> str:
    """An invented name, a real one or, now and then, a role such as ``The Baker``."""
    chance = rng.random()
    if chance < 0.5:
        return invent_name(rng)
    return rng.choice(REAL_NAMES if chance < 0.93 else ROLE_NAMES)

/** Words the templates are filled with. */
const split = (text: string): string[] => text.split('|')

export const lists: Readonly<Record<string, readonly string[]>> = {
  table: split(
    'users|customers|orders|accounts|members|employees|products|invoices|payments|sessions|cards|logs',
  ),
  column: split('id|name|email|username|status|amount|created_at|city|total|price|title|category'),
  secret: split('password|passwd|password_hash|api_key|secret|token|pan|ssn'),
  login: split('admin|root|guest|alice|bob|test|operator|j.smith'),
  word: split(
    'shoes|laptop|invoice|report|garden|coffee|winter|blue|order|shipping|policy|music|bread|camera',
  ),
  first: split(
    'Ada|Grace|Seán|Noël|Dara|Miriam|Kwame|Chloé|Linus|Zoë|Björn|Siobhán|Renée|Tomás|Ngozi|Wei',
  ),
  last: split(
    "O'Brien|O'Connor|D'Angelo|O'Neill|McDonald|Müller|García|Nguyễn|St. John|van der Berg|O'Reilly|D'Souza|L'Estrange|N'Diaye|Al-Sayed|Smith-Jones",
  ),
  host: split(
    'example.com|api.github.com|shop.example.org|cdn.acme-store.com|news.ycombinator.com|en.wikipedia.org|docs.python.org|www.bbc.co.uk',
  ),
  evil: split('evil.example.net|attacker.example|203.0.113.66|198.51.100.23|x.bad-host.io'),
  ip: split('8.8.8.8|192.0.2.10|203.0.113.5|1.1.1.1'),
  file: split(
    'report.pdf|notes.txt|photo.jpg|data.csv|invoice-2024.pdf|backup.tar.gz|index.html|summary.docx',
  ),
  dir: split('reports|uploads|images|docs|public/assets|data/2024|archive|static'),
  city: split('Dublin|Köln|São Paulo|Kraków|Zürich|Newcastle|Saint-Étienne|Lyon|東京|Αθήνα'),
  street: split(
    "12 King's Road|St. John's Street 4|5 O'Connell Street|Rue de l'Église 3|Hauptstraße 17b|1600 Pennsylvania Ave NW|Flat 3/2, 44 High St|C/ Mayor, 8 1º",
  ),
}

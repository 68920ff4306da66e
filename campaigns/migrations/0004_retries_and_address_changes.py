
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

from mailsales import wall


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0004_proofs_and_records'),
        ('campaigns', '0003_contact_search'),
    ]

    operations = [
        migrations.AddField(
            model_name='suppression',
            name='retry_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name='suppression',
            name='reason',
            field=models.CharField(choices=[('user_unknown', 'No such address'), ('host_unknown', 'No such domain'), ('moved', 'The address has moved'), ('not_accepted', 'The domain takes no mail'), ('mailbox_full', 'Mailbox full'), ('suspended', 'Mailbox suspended'), ('filtered', 'Domain filter'), ('spam', 'Judged to be spam'), ('virus', 'Judged to be a virus'), ('content', 'Refused for the content'), ('too_big', 'Too big'), ('syntax', 'Protocol or form error'), ('policy', 'Refused by the receiver’s policy'), ('auth_failure', 'SPF, DKIM or DMARC failed'), ('blocked', 'Refused for the sender’s reputation'), ('rejected', 'This sender is refused'), ('relay_denied', 'The server does not relay'), ('security', 'Encryption failed'), ('rate_limited', 'Sending too fast'), ('network_error', 'The server could not be reached'), ('system_error', 'Trouble at the receiving server'), ('expired', 'Not delivered in time'), ('other', 'Other reasons'), ('delivered', 'Delivered'), ('delayed', 'Delayed'), ('vacation', 'Automatic reply'), ('complaint', 'Reported as spam'), ('no_reply', 'Cut off before the reply'), ('worker_lost', 'The sending process was lost'), ('restored', 'Restored from a backup'), ('cancelled', 'Cancelled'), ('unsubscribed', 'Unsubscribed'), ('manual', 'By hand'), ('paused', 'Paused by the reader')], max_length=20),
        ),
        migrations.CreateModel(
            name='AddressChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('address', models.CharField(max_length=254)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('confirmed_at', models.DateTimeField(blank=True, null=True)),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.account')),
                ('contact', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='campaigns.contact')),
            ],
            options={
                'db_table': 'address_change',
            },
        ),
        *wall.guard("address_change"),
    ]
